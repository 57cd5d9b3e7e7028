import { callerHeaders, Problem } from './api.js'

/**
 * Puts a file into the folder; `onConflict` is what becomes of one of that name: refuse, replace or rename. `onProgress(share)` hears how
 * much was sent. Resolves with what the server says of it. Errors: Problem; TypeError when the server does not answer.
 */
export function upload(file, onConflict, onProgress) {
  const body = new FormData()
  body.append('file', file)
  // fetch tells nothing of what was sent
  const sending = new XMLHttpRequest()
  sending.open('POST', `/api/v1/documents?onConflict=${onConflict}`)
  for (const [name, value] of Object.entries(callerHeaders())) sending.setRequestHeader(name, value)
  sending.setRequestHeader('accept', 'application/json')
  sending.responseType = 'json'
  sending.upload.addEventListener('progress', ({ loaded, total }) => total > 0 && onProgress(loaded / total))
  return new Promise((resolve, reject) => {
    sending.addEventListener('error', () => reject(new TypeError('the server does not answer')))
    sending.addEventListener('load', () => {
      const said = sending.response ?? {}
      if (sending.status < 300) resolve(said)
      else reject(new Problem(sending.status, said.code ?? 'unknown', said.detail ?? said.title ?? `HTTP ${sending.status}`))
    })
    sending.send(body)
  })
}
