import { getJson, request } from './api.js'
import { t } from './i18n.js'
import { element } from './markdown.js'
import { act, box, ownerProblem, saidLine, tell } from './owner-parts.js'
import { upload } from './upload.js'

const $ = (id) => document.getElementById(id)

/** What an owner does in the panel of documents: adds files, tries failed ones again, says yes to a held removal. `refresh()` reads the list anew. */
export function createDocumentActs(refresh) {
  let held = { count: 0, paths: [] }
  const said = saidLine()
  $('document-acts').append(said)

  $('upload').addEventListener('click', () => $('upload-files').click())
  $('upload-files').addEventListener('change', () => {
    void sendAll([...$('upload-files').files])
    $('upload-files').value = '' // the same file may be chosen again
  })
  $('retry-all').addEventListener('click', () => void retryAll().catch(fail))
  const panel = $('documents')
  for (const name of ['dragenter', 'dragover']) panel.addEventListener(name, (event) => over(event, true))
  panel.addEventListener('dragleave', () => panel.classList.remove('is-over'))
  panel.addEventListener('drop', (event) => {
    if (!over(event, false)) return
    void sendAll([...event.dataTransfer.files])
  })

  function over(event, isOver) {
    const isTaken = !$('document-acts').hidden && event.dataTransfer.types.includes('Files')
    if (isTaken) event.preventDefault() // else the browser would open the file
    panel.classList.toggle('is-over', isTaken && isOver)
    return isTaken
  }

  const fail = (error) => tell(said, ownerProblem(error), 'is-error')

  /** One after the other: each has a line of its own that says what became of it. */
  async function sendAll(files) {
    const lines = files.map((file) => [file, box('li', '', box('span', 'path', file.name))])
    $('uploads').append(...lines.map(([, line]) => line))
    for (const [file, line] of lines) await send(file, line, 'refuse')
  }

  async function send(file, line, onConflict) {
    const bar = box('progress', '')
    Object.assign(bar, { max: 1, value: 0 })
    bar.setAttribute('aria-label', file.name)
    const words = saidLine()
    line.replaceChildren(box('span', 'path', file.name), bar, words)
    try {
      const { files } = await upload(file, onConflict, (share) => {
        bar.value = share
      })
      const [{ outcome, path }] = files
      tell(words, t('uploaded')[outcome] ?? path)
      if (outcome === 'renamed') words.append(` ${path}`)
      await refresh()
    } catch (error) {
      const isTaken = error.code === 'already_exists'
      tell(words, isTaken ? t('nameTaken') : ownerProblem(error), isTaken ? 'is-warning' : 'is-error')
      line.append(...(isTaken ? choices(file, line) : [again(file, line)]))
      line.querySelector('button').focus()
    }
    bar.remove()
  }

  const again = (file, line) => act(t('ownerRetry'), () => send(file, line, 'refuse'))
  const choices = (file, line) => [
    act(t('replaceFile'), () => send(file, line, 'replace')),
    act(t('keepBoth'), () => send(file, line, 'rename')),
    act(t('leaveFile'), () => line.remove(), { className: 'quiet' }),
  ]

  async function retryAll() {
    const answered = await request('/api/v1/documents/retry', { method: 'POST', body: { state: 'failed' } })
    tell(said, t('retried', (await answered.json()).queued))
    await refresh()
  }

  /** Beside a failed file: read it once more. */
  function retryButton({ id, path }) {
    const button = act(
      t('retryOne'),
      async () => {
        await request(`/api/v1/documents/${encodeURIComponent(id)}/retry`, { method: 'POST' })
        await refresh()
      },
      { className: 'quiet', said },
    )
    button.dataset.retry = id
    button.setAttribute('aria-label', `${t('retryOne')}: ${path}`)
    return button
  }

  /** Many files that are gone at once stay in the answers until somebody says that they were meant to go. */
  async function lookForHeld() {
    const { pendingRemoval } = await getJson('/api/v1/ingest')
    const { changes } = pendingRemoval > 0 ? await getJson('/api/v1/ingest/scans?dryRun=true') : { changes: [] }
    held = { count: pendingRemoval, paths: changes.filter(({ kind }) => kind === 'held').map(({ path }) => path) }
  }

  function drawHeld() {
    const { count, paths } = held
    const known = `${document.documentElement.lang} ${count} ${paths.join('\n')}`
    if ($('held').dataset.known === known) return // a button that somebody is about to press stays
    $('held').dataset.known = known
    $('held').hidden = count === 0
    if (count === 0) return $('held').replaceChildren()
    const more = count > paths.length ? box('p', 'note', t('andMore', count - paths.length)) : undefined
    const list = box('ul', '', ...paths.map((path) => box('li', 'path', path)))
    $('held').replaceChildren(
      box('p', 'note is-warning', t('heldText', count)),
      box('details', 'more', element('summary', t('heldList')), list, ...[more].filter(Boolean)),
      yes(),
    )
  }

  /** The second click means it. */
  function yes() {
    const button = act(
      t('removeHeld'),
      async () => {
        if (!button.classList.contains('is-sure')) {
          button.className = 'quiet is-sure'
          button.textContent = t('removeHeldSurely')
          return
        }
        const answered = await request('/api/v1/documents/confirm-removal', { method: 'POST' })
        tell(said, t('heldRemoved', (await answered.json()).removed))
        await refresh()
      },
      { said },
    )
    return button
  }

  return {
    retryButton,
    /** With each new list. */
    async draw(counts) {
      $('document-acts').hidden = false
      $('retry-all').hidden = !(counts.failed > 0)
      if ($('documents').hidden) return
      await lookForHeld().catch(fail)
      drawHeld()
    },
  }
}
