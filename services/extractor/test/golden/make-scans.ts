// Makes scan.pdf and picture.*: `node services/extractor/test/golden/make-scans.ts`, with Chromium, pdftoppm and the Noto CJK fonts.
// They are committed, so that the tests need none of these.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { assemble } from '../make-pdf.ts'
import { pictureLines, scanPages } from '../scan-sources.ts'

const work = mkdtempSync(join(tmpdir(), 'scans-'))

/** A page as printed, as a grey picture of 150 dpi. */
function pictureOf(css: string, body: string): Sharp {
  const [html, pdf] = [join(work, 'page.html'), join(work, 'page.pdf')]
  const style = "font-family:'Noto Serif CJK SC',serif;font-size:12pt;line-height:1.7;margin:0"
  writeFileSync(html, `<meta charset="utf-8"><style>${css}</style><body style="${style}">${body}`)
  const options = ['--headless', '--no-sandbox', '--disable-gpu', `--print-to-pdf=${pdf}`, '--no-pdf-header-footer', `file://${html}`]
  execFileSync('chromium', options, { stdio: 'ignore' })
  return sharp(execFileSync('pdftoppm', ['-r', '150', '-png', '-singlefile', pdf])).toColourspace('b-w')
}

function scanOf(language: keyof typeof scanPages): Promise<Buffer> {
  const [title, ...paragraphs] = scanPages[language]
  const body = `<h1 style="font-size:20pt">${title}</h1>${paragraphs.map((text) => `<p>${text}</p>`).join('')}`
  return pictureOf('@page{size:A5;margin:15mm}', body).jpeg({ quality: 50 }).toBuffer()
}

/** Each page one JPEG over all of it. */
async function scannedPdf(jpegs: readonly Buffer[]): Promise<Buffer> {
  const [width, height] = [420, 595]
  const pages: string[] = []
  for (const [i, jpeg] of jpegs.entries()) {
    const dots = await sharp(jpeg).metadata()
    const content = `q ${width} 0 0 ${height} 0 0 cm /Im Do Q`
    pages.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Resources << /XObject << /Im ${5 + i * 3} 0 R >> >> /Contents ${4 + i * 3} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      `<< /Type /XObject /Subtype /Image /Width ${dots.width} /Height ${dots.height} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n${jpeg.toString('latin1')}\nendstream`,
    )
  }
  const kids = jpegs.map((_, i) => `${3 + i * 3} 0 R`).join(' ')
  return assemble(['<< /Type /Catalog /Pages 2 0 R >>', `<< /Type /Pages /Kids [${kids}] /Count ${jpegs.length} >>`, ...pages])
}

const small = pictureOf('@page{size:84mm 22mm;margin:2mm}p{margin:0}', pictureLines.map((line) => `<p>${line}</p>`).join(''))
const files = {
  'scan.pdf': await scannedPdf([await scanOf('zh'), await scanOf('en')]),
  'picture.png': await small.png().toBuffer(),
  'picture.jpg': await small.jpeg({ quality: 70 }).toBuffer(),
  'picture.tif': await small.tiff({ compression: 'lzw' }).toBuffer(),
  'picture.webp': await small.webp({ quality: 70 }).toBuffer(),
  'picture.gif': await small.gif().toBuffer(),
}
for (const [name, content] of Object.entries(files)) writeFileSync(join(import.meta.dirname, name), content)
rmSync(work, { recursive: true })
