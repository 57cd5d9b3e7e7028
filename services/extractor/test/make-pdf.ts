export type PdfLine = { text: string; size?: number; x?: number; y?: number }

/** A minimal PDF (`isScan`: a picture fills each page): Helvetica for ASCII; anything else in STSong-Light, not embedded, through a predefined CMap (F71). */
export function makePdf(
  pages: PdfLine[][],
  extras: { trailer?: string; catalog?: string; encoding?: string; chineseMap?: string; isScan?: boolean } = {},
): Buffer {
  const objects: string[] = []
  const add = (body: string) => objects.push(body)
  const pageIds = pages.map((_, i) => 7 + i * 2)
  add(`<< /Type /Catalog /Pages 2 0 R ${extras.catalog ?? ''} >>`)
  add(`<< /Type /Pages /Kids [${pageIds.map((id) => `${id} 0 R`).join(' ')}] /Count ${pages.length} >>`)
  add(`<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /${extras.encoding ?? 'WinAnsiEncoding'} >>`)
  add(
    `<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /${extras.chineseMap ?? 'UniGB-UCS2-H'} /DescendantFonts [5 0 R] >>`,
  )
  add(
    '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 6 0 R /DW 1000 >>',
  )
  add(
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>',
  )
  for (const [i, lines] of pages.entries()) {
    const picture = extras.isScan ? 'q 595 0 0 842 0 0 cm /Im0 Do Q\n' : ''
    const content = picture + lines.map((line, n) => show(line, n)).join('\n')
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 4 0 R >>${extras.isScan ? ` /XObject << /Im0 ${7 + pages.length * 2} 0 R >>` : ''} >> /Contents ${pageIds[i]! + 1} 0 R >>`,
    )
    add(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
  }
  if (extras.isScan)
    add(
      '<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\nA\nendstream',
    )
  return assemble(objects, extras.trailer)
}

export function assemble(objects: readonly string[], trailer = ''): Buffer {
  let out = '%PDF-1.4\n'
  const offsets = objects.map((body, i) => {
    const at = out.length
    out += `${i + 1} 0 obj\n${body}\nendobj\n`
    return at
  })
  const xref = out.length
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')}`
  out += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${xref}\n%%EOF\n`
  return Buffer.from(out, 'latin1')
}

function show({ text, size = 11, x = 72, y }: PdfLine, n: number): string {
  const isAscii = /^[\x20-\x7e\xa1-\xff]*$/.test(text)
  const hex = [...text].map((char) => char.charCodeAt(0).toString(16).padStart(4, '0')).join('')
  const shown = isAscii ? `(${text.replace(/[\\()]/g, '\\$&')})` : `<${hex}>`
  return `BT /${isAscii ? 'F1' : 'F2'} ${size} Tf ${x} ${y ?? 780 - n * 16} Td ${shown} Tj ET`
}
