import type { Passage } from '@docent/core/passage'

/** A line of a table. `names` are those of its own table's columns, one or more for each cell; absent where they cannot be known. */
export type TableLine = { start: number; end: number; cells: string[]; names?: readonly string[]; isHeader: boolean }
type Line = { start: number; end: number; raw: string; cells: string[] | undefined }
/** Lines between blank ones. `isWhole`: it begins where it begins in the document. */
type Block = { lines: [Line, ...Line[]]; isWhole: boolean }

// a section is cut at 2,000 characters only, by whole rows: a shorter one begins where its heading does, and not inside a table
const UNCUT = 1_400

/** The passage inside its section when that is at hand, so that no sentence is cut. `offset` is the text's place in the document. */
export function within(passage: Passage): { text: string; from: number; to: number; offset: number } {
  const { parent } = passage
  const from = passage.start - parent.start
  const to = passage.end - parent.start
  if (parent.text.slice(from, to) === passage.text) return { text: parent.text, from, to, offset: parent.start }
  return { text: passage.text, from: 0, to: passage.text.length, offset: passage.start }
}

/** The table lines of what `within` gives, each under the header row of its own table: after a blank line another table begins. */
export function tableLinesOf(passage: Passage): TableLine[] {
  const { text, offset } = within(passage)
  const blocks = blocksOf(text, offset)
  const headers = new Set(blocks.filter(hasHeader).map(({ lines }) => lines.find(({ cells }) => cells)!.raw))
  // rows that are counted stand in a sheet: a cell's position is its column, and the last cells may be left out
  const isSheet = passage.row !== undefined
  return blocks
    .flatMap((block) => underHeader(block, isSheet))
    .map((line) => (headers.has(text.slice(line.start, line.end)) ? { ...line, isHeader: true } : line))
}

/** The section for a model's prompt, without the rows before the passage whose header row lies outside of the section. */
export function promptText(passage: Passage): string {
  const { text, from, offset } = within(passage)
  if (text !== passage.parent.text) return passage.parent.text || text
  const [first, second] = blocksOf(text, offset)
  const isNameless = first && !first.isWhole && first.lines.every(({ cells }) => cells)
  return isNameless && second && second.lines[0].start <= from ? text.slice(second.lines[0].start) : text
}

/** Cells of a table row written with pipes or tabs; an empty first or last cell leaves its pipe at the end of the line. */
export function cellsOf(line: string, isFramed: boolean = isFrame(line)): string[] | undefined {
  if (line.includes('\t')) return line.split('\t').map((cell) => cell.trim())
  if (!isFrame(line) && !/ \| |^\| | \|$/.test(line)) return undefined
  const inner = isFramed ? line.replace(/^\||\|$/g, '') : line
  return inner.split('|').map((cell) => cell.trim())
}

function isFrame(line: string): boolean {
  return /^\|.*\|$/.test(line)
}

function blocksOf(text: string, offset: number): Block[] {
  const blocks: Block[] = []
  let isOpen = false
  let at = 0
  for (const full of text.split('\n')) {
    const raw = full.trim()
    const start = at + full.length - full.trimStart().length
    at += full.length + 1
    if (raw === '') isOpen = false
    else {
      const line = { start, end: start + raw.length, raw, cells: cellsOf(raw) }
      if (isOpen) blocks.at(-1)!.lines.push(line)
      else blocks.push({ lines: [line], isWhole: blocks.length > 0 || beginsBlock(text, offset) })
      isOpen = true
    }
  }
  // the header is repeated every few rows: a line that heads another block is no row of this one
  const [first, ...others] = blocks
  if (first && !first.isWhole) first.isWhole = others.some((other) => hasHeader(other) && other.lines[0].raw === first.lines[0].raw)
  return blocks
}

function beginsBlock(text: string, offset: number): boolean {
  // what stands before an edited chunk is cut away at the chunk's end: one line break is that of a row, two are that of a block
  const breaks = /^\s*/.exec(text)![0].split('\n').length - 1
  return offset === 0 || breaks > 1 || (breaks === 0 && text.length <= UNCUT)
}

/** One line alone is no header. */
function hasHeader({ lines, isWhole }: Block): boolean {
  return isWhole && lines.filter(({ cells }) => cells).length > 1
}

function underHeader(block: Block, isSheet: boolean): TableLine[] {
  const found: TableLine[] = []
  let names: string[] | undefined
  let isFramed: boolean | undefined
  let mayBegin = hasHeader(block)
  for (const { raw, start, end, cells } of block.lines) {
    if (!cells) {
      // a line between two rows may end one table and begin another
      if (names && !isSheet) names = undefined
      continue
    }
    const isRule = cells.every((cell) => /^:?-+:?$/.test(cell) || cell === '')
    const above = found.at(-1)
    if (isRule && above) {
      above.isHeader = true
      names = above.cells
    }
    const isHeader: boolean = isRule || mayBegin
    if (mayBegin) {
      names = cells
      isFramed = isFrame(raw)
      mayBegin = false
    }
    const own = cellsOf(raw, isFramed) ?? cells
    const isNamed = names && !isHeader && (own.length === names.length || (isSheet && own.length < names.length))
    found.push({ start, end, cells: own, isHeader, ...(isNamed ? { names: names! } : {}) })
  }
  return found
}
