export type Goal = {
  what: string
  /** which bench measures it, and what it calls the figure */
  bench: string
  figure: string
  wanted: string
  holds: (value: number) => boolean
}

const atMost = (limit: number) => ({ wanted: `≤ ${limit.toLocaleString('en')}`, holds: (value: number) => value <= limit })
const atLeast = (limit: number) => ({ wanted: `≥ ${limit.toLocaleString('en')}`, holds: (value: number) => value >= limit })
const exactly = (count: number) => ({ wanted: String(count), holds: (value: number) => value === count })

/** What fast means here: each goal names the figure that decides it. */
export const goals: readonly Goal[] = [
  { what: 'Relay: CPU per token ÷ a bare `node:http` pipe', bench: 'gateway', figure: '1 ratio', ...atMost(1.2) },
  { what: 'Bursts of 200 tokens: tokens per CPU second ÷ Express and the openai SDK', bench: 'gateway', figure: '2 ratio', ...atLeast(5) },
  { what: 'First text, idle: added, p50 ms', bench: 'turns', figure: '3 added to direct, p50 ms', ...atMost(1) },
  { what: 'First text, 200 at once: added, p50 ms', bench: 'turns', figure: '4 added to direct, p50 ms', ...atMost(10) },
  { what: 'First text, 200 at once: added, p99 ms', bench: 'turns', figure: '4 added to direct, p99 ms', ...atMost(50) },
  {
    what: 'First text over 300 open streams: added, p99 ms',
    bench: 'turns',
    figure: '4 newcomer over 300 open, added p99 ms',
    ...atMost(20),
  },
  { what: 'Memory per open stream, 1,000 open, KB', bench: 'gateway', figure: '5 KB resident per open stream, 1,000 open', ...atMost(64) },
  { what: 'TLS nginx: extra CPU per token, µs', bench: 'gateway', figure: '6 through TLS nginx: extra CPU µs per token', ...atMost(15) },
  {
    what: 'Embedding: tokens per CPU second ÷ the bare model run',
    bench: 'embed',
    figure: 'embed-eff: tokens/CPU-s, service ÷ raw',
    ...atLeast(0.92),
  },
  {
    what: 'Embedding: chunks per second ÷ 16 padded texts per run',
    bench: 'embed',
    figure: 'embed-vs-peers: chunks/s, service ÷ 16 padded texts',
    ...atLeast(1.5),
  },
  {
    what: 'Questions while 500 files index: p99 ÷ at rest',
    bench: 'ingest',
    figure: 'query-under-ingest: p99 meanwhile ÷ at rest',
    ...atMost(2),
  },
  { what: 'Indexing ÷ extracting and embedding alone', bench: 'ingest', figure: 'ingest-e2e: wall ÷ raw sum', ...atMost(1.1) },
  {
    what: 'A scan of 10,000 unchanged files, files/s',
    bench: 'ingest',
    figure: 'reindex-noop: files/s, later scans (p50)',
    ...atLeast(5_000),
  },
  {
    what: 'Chunks embedded after one of 40 paragraphs changed',
    bench: 'ingest',
    figure: 'reindex-noop: chunks embedded after one paragraph changed',
    ...exactly(1),
  },
  { what: 'Search, 20,000 chunks: p50 ÷ embedding and Chroma alone', bench: 'retrieve', figure: 'search ÷ raw, p50', ...atMost(1.15) },
  { what: 'Search, 20,000 chunks: p50 ms', bench: 'retrieve', figure: 'search p50, ms', ...atMost(12) },
  { what: "Chroma's recall@8 against a flat scan", bench: 'retrieve', figure: 'recall@8 of Chroma against a flat scan', ...atLeast(0.99) },
  {
    what: 'A repeated question: p50 ms to the last byte',
    bench: 'turns',
    figure: '13 repeated question, p50 ms to the last byte',
    ...atMost(1.5),
  },
  { what: 'Turns per second, all of them kept', bench: 'turns', figure: '14 turns per second, 32 at a time', ...atLeast(500) },
  { what: 'Lexical leg, 50,000 chunks: p50 ms', bench: 'lexical', figure: 'lexical leg p50, ms', ...atMost(3) },
  {
    what: 'Lexical index, 50,000 chunks: load from Postgres and its snapshot, ms',
    bench: 'lexical',
    figure: 'next load, ms from the open door',
    ...atMost(4_000),
  },
  {
    what: 'The same without a snapshot, ms',
    bench: 'lexical',
    figure: 'first load, ms from the open door',
    ...atMost(4_000),
  },
  {
    what: 'A full folder and files of 100 MB: extractors killed for memory',
    bench: 'flood',
    figure: 'large files: extractor, killed for memory',
    ...exactly(0),
  },
  { what: 'The same: ingest killed for memory', bench: 'flood', figure: 'large files: ingest, killed for memory', ...exactly(0) },
]
