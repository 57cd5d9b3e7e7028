import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

const languages = ['chi_sim', 'eng'] as const
const require = createRequire(import.meta.url)

/** What OCR is asked to read, in the form Tesseract takes it. */
export const ocrLanguages = languages.join('+')

/** Tesseract's data for Chinese and English (4.6 MB packed, 7.7 MB laid out), as npm brought it, in a folder of its own. */
export async function layOutTessdata(scope: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docent-tessdata-'))
  scope.defer(() => rm(folder, { recursive: true, force: true }))
  for (const language of languages) {
    const packed = join(dirname(require.resolve(`@tesseract.js-data/${language}`)), '4.0.0_best_int', `${language}.traineddata.gz`)
    await writeFile(join(folder, `${language}.traineddata`), await promisify(gunzip)(await readFile(packed)))
  }
  return folder
}
