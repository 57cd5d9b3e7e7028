import { createBuilder, type DocumentBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Extracted, Tell } from '../types.ts'
import { officeTitle, openPackage, type Package, relationsOf } from './package.ts'
import { inReadingOrder, type Shape, shapesOf } from './pptx-shapes.ts'
import { addTable } from './table-blocks.ts'
import { child, descendants, elements, textOf, type XmlNode } from './xml.ts'

export const pptxType = 'application/vnd.openxmlformats-officedocument.presentationml.presentation'

const MAIN = 'ppt/presentation.xml'
const decoration = new Set(['dt', 'ftr', 'sldNum', 'sldImg', 'hdr'])

/** Slides in their order: title, then what stands on it in reading order, then the speaker's notes. */
export function extractPptx(bytes: Buffer, maxChars: number, tell: Tell): Extracted {
  const file = openPackage(bytes, MAIN)
  const builder = createBuilder(maxChars)
  const relations = relationsOf(file, MAIN)
  const list = child(file.tree(MAIN), 'sldIdLst')
  const slides = (list ? elements(list) : []).map((one) => relations.get(one.attributes['r:id'] ?? '')?.target)
  let firstTitle: string | undefined
  let hidden = 0
  for (const [i, part] of slides.entries()) {
    tell('extract', 'slide', i, slides.length)
    const slide = part ? file.tree(part) : undefined
    if (!part || !slide) continue
    if (slide.attributes.show === '0' || slide.attributes.show === 'false') hidden++
    else {
      const title = addSlide(file, part, slide, i + 1, builder)
      firstTitle ??= title
    }
  }
  if (hidden > 0) builder.note(`${hidden} hidden slides were left out`)
  if (slides.length === 0) throw new ExtractFailure('empty', 'The presentation holds no slides: put content into it, or remove it.')
  return builder.build(pptxType, { title: officeTitle(file) ?? firstTitle })
}

function addSlide(file: Package, part: string, slide: XmlNode, number: number, builder: DocumentBuilder): string | undefined {
  const relations = relationsOf(file, part)
  const related = (type: string) => [...relations.values()].find((one) => one.type === type)?.target
  const layout = related('slideLayout')
  const shapes = inReadingOrder(shapesOf(slide, layout ? file.tree(layout) : undefined).filter((shape) => !decoration.has(shape.role)))
  const place = { slide: number }
  builder.leaveHeadings()
  const titles = shapes.filter((shape) => shape.role === 'title' || shape.role === 'ctrTitle')
  const title = titles
    .map((shape) =>
      paragraphsOf(shape.node)
        .map((one) => one.text)
        .join(' '),
    )
    .join(' ')
    .trim()
  if (title) builder.heading(1, title, place)
  for (const shape of shapes) if (!titles.includes(shape)) addShape(file, shape, relations, builder, place)

  const notes = related('notesSlide')
  const notesTree = notes ? file.tree(notes) : undefined
  for (const shape of notesTree ? shapesOf(notesTree, undefined) : [])
    if (shape.role === 'body')
      builder.add(
        'paragraph',
        paragraphsOf(shape.node)
          .map((one) => one.text)
          .join('\n'),
        place,
      )
  return title || undefined
}

function addShape(
  file: Package,
  shape: Shape,
  relations: ReturnType<typeof relationsOf>,
  builder: DocumentBuilder,
  place: { slide: number },
): void {
  const table = descendants(shape.node, 'tbl')[0]
  const diagram = descendants(shape.node, 'relIds')[0]
  if (table) {
    addSlideTable(table, builder, place)
    return
  }
  if (diagram) {
    const data = file.tree(relations.get(diagram.attributes['r:dm'] ?? '')?.target ?? '')
    const texts = data ? descendants(data, 't').flatMap((one) => paragraphsOf(one)) : []
    builder.add('list', texts.map((one) => `- ${one.text}`).join('\n'), place)
    return
  }
  const paragraphs = paragraphsOf(shape.node)
  const isList = paragraphs.length > 1 && ['body', 'obj', 'content'].includes(shape.role)
  if (isList) builder.add('list', paragraphs.map(({ level, text }) => `${'  '.repeat(level)}- ${text}`).join('\n'), place)
  else builder.add('paragraph', paragraphs.map((one) => one.text).join('\n'), place)
}

function addSlideTable(table: XmlNode, builder: DocumentBuilder, place: { slide: number }): void {
  const rows = descendants(table, 'tr').map((row) =>
    descendants(row, 'tc').map((cell) =>
      paragraphsOf(cell)
        .map((one) => one.text)
        .join(' '),
    ),
  )
  addTable(
    builder,
    rows.map((cells, i) => ({ row: i + 1, cells })),
    place,
    false,
  )
}

/** The paragraphs with text, wherever they lie in the shape. */
function paragraphsOf(node: XmlNode): { level: number; text: string }[] {
  return descendants(node, 'p')
    .map((paragraph) => ({ level: Number(child(paragraph, 'pPr')?.attributes.lvl ?? 0) || 0, text: runsOf(paragraph).trim() }))
    .filter(({ text }) => text)
}

function runsOf(node: XmlNode): string {
  return elements(node)
    .map((one) => (one.name === 't' ? textOf(one) : one.name === 'br' ? '\n' : one.name === 'pPr' ? '' : runsOf(one)))
    .join('')
}
