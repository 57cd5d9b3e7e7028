// Makes the office files beside it: `node services/extractor/test/golden/make.ts`, with LibreOffice on the PATH.
// They are committed, so that the tests read what a real office program writes without needing one.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GoldenSource, goldenSources } from '../golden-sources.ts'

const names = ['office', 'text', 'table', 'draw', 'style', 'presentation', 'svg-compatible', 'meta', 'number', 'xsl-fo-compatible'] as const
const prefixes: Record<string, string> = { 'svg-compatible': 'svg', meta: 'meta', number: 'number', 'xsl-fo-compatible': 'fo' }
const tails: Record<string, string> = { number: 'datastyle', draw: 'drawing' }
const namespaces = `${names.map((name) => `xmlns:${prefixes[name] ?? name}="urn:oasis:names:tc:opendocument:xmlns:${tails[name] ?? name}:1.0"`).join(' ')} xmlns:dc="http://purl.org/dc/elements/1.1/"`

function flat(kind: string, title: string, styles: string, body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><office:document ${namespaces} office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.${kind}"><office:meta><dc:title>${title}</dc:title></office:meta>${styles}<office:body><office:${kind}>${body}</office:${kind}></office:body></office:document>`
}

function cell(text: string): string {
  return `<table:table-cell office:value-type="string"><text:p>${text}</text:p></table:table-cell>`
}

function table(name: string, rows: readonly (readonly string[])[]): string {
  return `<table:table table:name="${name}"><table:table-column table:number-columns-repeated="${rows[0]!.length}"/>${rows.map((row) => `<table:table-row>${row.map(cell).join('')}</table:table-row>`).join('')}</table:table>`
}

function textDocument({ title, text }: GoldenSource): string {
  const [first, second] = text.heading
  const note = `<text:note text:id="n1" text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>${text.footnote}</text:p></text:note-body></text:note>`
  const box = `<text:p><draw:frame text:anchor-type="paragraph" svg:width="8cm" svg:height="2cm"><draw:text-box><text:p>${text.box}</text:p></draw:text-box></draw:frame></text:p>`
  const deleted = `<text:tracked-changes><text:changed-region text:id="c1"><text:deletion><office:change-info><dc:creator>x</dc:creator><dc:date>2025-01-01T00:00:00</dc:date></office:change-info><text:p>DELETED-TEXT</text:p></text:deletion></text:changed-region></text:tracked-changes>`
  return flat(
    'text',
    title,
    `<office:styles>${[1, 2].map((n) => `<style:style style:name="Heading_20_${n}" style:display-name="Heading ${n}" style:family="paragraph" style:default-outline-level="${n}" style:class="text"/>`).join('')}</office:styles>`,
    `${deleted}<text:h text:style-name="Heading_20_1" text:outline-level="${first![0]}">${first![1]}</text:h><text:p>${text.paragraphs[0]}${note}<text:change text:change-id="c1"/></text:p><text:list>${text.list.map((item) => `<text:list-item><text:p>${item}</text:p></text:list-item>`).join('')}</text:list><text:h text:style-name="Heading_20_2" text:outline-level="${second![0]}">${second![1]}</text:h><text:p>${text.paragraphs[1]}</text:p>${table('T', text.table)}${box}`,
  )
}

function workbook({ title, sheets }: GoldenSource): string {
  const styles =
    '<office:automatic-styles><number:date-style style:name="N1"><number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style><number:percentage-style style:name="N2"><number:number number:decimal-places="1" number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style><number:number-style style:name="N3"><number:number number:decimal-places="2" number:min-decimal-places="2" number:min-integer-digits="1" number:grouping="true"/></number:number-style><style:style style:name="d" style:family="table-cell" style:data-style-name="N1"/><style:style style:name="p" style:family="table-cell" style:data-style-name="N2"/><style:style style:name="m" style:family="table-cell" style:data-style-name="N3"/></office:automatic-styles>'
  const one = (value: GoldenSource['sheets'][number]['rows'][number][number]) => {
    if (typeof value === 'string') return cell(value)
    if (typeof value === 'number') return `<table:table-cell table:style-name="m" office:value-type="float" office:value="${value}"/>`
    if ('date' in value) return `<table:table-cell table:style-name="d" office:value-type="date" office:date-value="${value.date}"/>`
    return `<table:table-cell table:style-name="p" office:value-type="percentage" office:value="${value.share}"/>`
  }
  const body = sheets
    .map(
      ({ name, rows }) =>
        `<table:table table:name="${name}"><table:table-column table:number-columns-repeated="4"/>${rows.map((row) => `<table:table-row>${row.map(one).join('')}</table:table-row>`).join('')}</table:table>`,
    )
    .join('')
  return flat('spreadsheet', title, styles, body)
}

function deck({ title, slides }: GoldenSource): string {
  const frame = (kind: string, x: number, y: number, width: number, inside: string) =>
    `<draw:frame ${kind ? `presentation:class="${kind}" presentation:style-name="M-${kind === 'outline' ? 'outline1' : kind}"` : ''} draw:layer="layout" svg:x="${x}cm" svg:y="${y}cm" svg:width="${width}cm" svg:height="4cm">${inside}</draw:frame>`
  const box = (inside: string) => `<draw:text-box>${inside}</draw:text-box>`
  const pages = slides.map((slide, i) => {
    const points = slide.points.map((point) => `<text:list-item><text:p>${point}</text:p></text:list-item>`).join('')
    // The right column is written first: the places decide, not the order in the file.
    const columns = slide.left
      ? frame('', 15, 5, 11, box(`<text:p>${slide.right}</text:p>`)) + frame('', 1, 5, 11, box(`<text:p>${slide.left}</text:p>`))
      : ''
    const grid = slide.table ? frame('', 1, 14, 20, table(`T${i}`, slide.table)) : ''
    const notes = slide.notes
      ? `<presentation:notes>${frame('notes', 2, 14, 17, box(`<text:p>${slide.notes}</text:p>`))}</presentation:notes>`
      : ''
    return `<draw:page draw:name="p${i + 1}" draw:master-page-name="M" presentation:presentation-page-layout-name="AL1">${points ? frame('outline', 2, 5, 24, box(`<text:list>${points}</text:list>`)) : ''}${columns}${grid}${frame('title', 2, 1, 24, box(`<text:p>${slide.title}</text:p>`))}${notes}</draw:page>`
  })
  const styles =
    '<office:styles><style:style style:name="M-title" style:family="presentation"/><style:style style:name="M-outline1" style:family="presentation"/><style:style style:name="M-notes" style:family="presentation"/><style:presentation-page-layout style:name="AL1"><presentation:placeholder presentation:object="title" svg:x="2cm" svg:y="1cm" svg:width="24cm" svg:height="4cm"/><presentation:placeholder presentation:object="outline" svg:x="2cm" svg:y="5cm" svg:width="24cm" svg:height="4cm"/></style:presentation-page-layout></office:styles><office:automatic-styles><style:page-layout style:name="L"><style:page-layout-properties fo:page-width="28cm" fo:page-height="21cm"/></style:page-layout></office:automatic-styles><office:master-styles><style:master-page style:name="M" style:page-layout-name="L"/></office:master-styles>'
  return flat('presentation', title, styles, pages.join(''))
}

const work = mkdtempSync(join(tmpdir(), 'golden-'))
try {
  for (const [language, source] of Object.entries(goldenSources)) {
    for (const [extension, content, formats] of [
      ['fodt', textDocument(source), ['odt', 'docx', 'rtf', 'doc']],
      ['fods', workbook(source), ['ods', 'xlsx', 'xls']],
      ['fodp', deck(source), ['odp', 'pptx']],
    ] as const) {
      const from = join(work, `${language}.${extension}`)
      writeFileSync(from, content)
      // One old file of each kind is enough to see that it is refused.
      const wanted = formats.filter((format) => language === 'zh' || !/^(?:doc|xls)$/.test(format))
      for (const format of wanted)
        execFileSync('soffice', [
          `-env:UserInstallation=file://${work}/profile`,
          '--headless',
          '--convert-to',
          format,
          '--outdir',
          import.meta.dirname,
          from,
        ])
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
