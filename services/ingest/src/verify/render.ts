import type { Fault, Verdict } from './verify.ts'

const titles: Record<Fault, string> = {
  lost_file: 'files without a document',
  behind_file: 'files whose newer content is not followed',
  ghost_document: 'documents whose file is gone',
  unfinished: 'documents still queued or indexing',
  mixed_version: 'documents with text of an older version',
  duplicate_chunk: 'duplicate chunks',
  orphan_chunk: 'orphan chunks',
  missing_chunk: 'missing chunks',
  vector_absent: 'chunks without a vector',
  duplicate_vector: 'duplicate entries of the dense index',
  orphan_vector: 'orphan entries of the dense index',
  missing_vector: 'chunks missing in the dense index',
  wrong_vector: 'entries of the dense index with another vector',
  unfindable_vector: 'chunks that their own vector does not find (named when more than 1 %)',
}
const EXAMPLES = 3

/** A small table in plain words, one line per kind of fault with its first examples; the last line is the verdict. */
export function renderVerdict({ files, documents, chunks, vectors, findings }: Verdict): string {
  const byFault = Map.groupBy(findings, (finding) => finding.fault)
  const lines = (Object.keys(titles) as Fault[]).flatMap((fault) => {
    const found = byFault.get(fault) ?? []
    const examples = found.slice(0, EXAMPLES).map(({ path, detail }) => `            ${printable(path)}: ${detail}`)
    if (found.length > EXAMPLES) examples.push(`            … and ${found.length - EXAMPLES} more`)
    return [`  ${String(found.length).padStart(7)}  ${titles[fault]}`, ...examples]
  })
  return [
    `  ${files} files, ${documents} documents, ${chunks} chunks, ${vectors} entries of the dense index`,
    ...lines,
    findings.length === 0 ? '  all of it agrees' : `  ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`,
  ].join('\n')
}

/** A file's name may hold anything; a terminal does what control characters say. */
function printable(path: string): string {
  return path.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`)
}
