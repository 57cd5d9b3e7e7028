import type { Corpus, CorpusFault } from '@docent/corpus/corpus'
import { createHashCache } from '../scan/hash-cache.ts'
import { snapshotFolder } from '../scan/snapshot-folder.ts'

export type Fault = CorpusFault | 'lost_file' | 'behind_file' | 'ghost_document'
export type Finding = { fault: Fault; path: string; detail: string }
export type Verdict = { files: number; documents: number; chunks: number; vectors: number; findings: Finding[] }
export type VerifyOptions = { corpus: Corpus; folder: string; maxFileBytes: number }

/**
 * The oracle: folder against ledger (every file is read), ledger against chunks, chunks against vectors. It changes nothing.
 * A folder that is missing throws; work in progress is found as `unfinished`.
 */
export async function verify({ corpus, folder, maxFileBytes }: VerifyOptions): Promise<Verdict> {
  const snapshot = await snapshotFolder({ folder, maxFileBytes, settleMs: Number.NEGATIVE_INFINITY, hashes: createHashCache() })
  if (snapshot.root === undefined) throw new Error(`${folder} is not a folder`)
  const known = await corpus.listKnown()
  const report = await corpus.verify()
  return { ...report, files: snapshot.files.length, findings: [...compare(snapshot, known), ...report.findings] }
}

type Seen = Pick<Awaited<ReturnType<typeof snapshotFolder>>, 'files' | 'unsettled' | 'unknown'>

function compare({ files, unsettled, unknown }: Seen, known: Awaited<ReturnType<Corpus['listKnown']>>): Finding[] {
  const byPath = new Map(known.map((document) => [document.path, document]))
  const findings: Finding[] = []
  for (const file of files) {
    const document = byPath.get(file.path)
    byPath.delete(file.path)
    if (!document) findings.push({ fault: 'lost_file', path: file.path, detail: 'no document' })
    else if (document.contentHash !== file.contentHash)
      findings.push({ fault: 'behind_file', path: file.path, detail: `the document (${document.state}) is of another content` })
  }
  for (const { path, state } of byPath.values()) {
    const isOpen = unsettled.includes(path) || unknown.some((place) => path === place || path.startsWith(`${place}/`))
    if (!isOpen) findings.push({ fault: 'ghost_document', path, detail: `${state}, but there is no file` })
  }
  return findings
}
