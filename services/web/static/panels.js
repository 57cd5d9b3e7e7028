/** Panels beside the conversation, one open at a time; Escape closes it and gives the focus back. */
export function createPanels(onOpen) {
  const panels = ['history', 'documents'].map((name) => ({
    name,
    panel: document.getElementById(name),
    button: document.getElementById(`${name}-button`),
  }))

  function show(name) {
    for (const one of panels) {
      one.panel.hidden = one.name !== name
      one.button.setAttribute('aria-expanded', String(one.name === name))
    }
    if (name) onOpen(name)
  }

  for (const { name, panel, button } of panels) {
    button.addEventListener('click', () => {
      show(panel.hidden ? name : undefined)
      if (!panel.hidden) panel.focus({ preventScroll: true })
    })
  }
  document.addEventListener('keydown', (event) => {
    const open = panels.find(({ panel }) => !panel.hidden)
    if (event.key !== 'Escape' || !open) return
    show(undefined)
    open.button.focus()
    event.stopImmediatePropagation()
  })
  return { close: () => show(undefined) }
}
