/** Panels beside the conversation, one open at a time; its close button and Escape close it and give the focus back. */
export function createPanels(onOpen) {
  const panels = ['history', 'documents', 'owner'].map((name) => ({
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

  function leave(button) {
    show(undefined)
    button.focus()
  }

  for (const { name, panel, button } of panels) {
    button.addEventListener('click', () => {
      show(panel.hidden ? name : undefined)
      if (!panel.hidden) panel.focus({ preventScroll: true })
    })
    panel.querySelector('.close').addEventListener('click', () => leave(button))
  }
  document.addEventListener('keydown', (event) => {
    const open = panels.find(({ panel }) => !panel.hidden)
    if (event.key !== 'Escape' || !open) return
    leave(open.button)
    event.stopImmediatePropagation()
  })
  return { close: () => show(undefined) }
}
