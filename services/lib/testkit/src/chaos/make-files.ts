import { makeDocx, paragraph } from '../../../../extractor/test/make-docx.ts'
import { makePdf } from '../../../../extractor/test/make-pdf.ts'
import { makeXlsx } from '../../../../extractor/test/make-xlsx.ts'

/** How a file must end: ready, or the state and code it must be refused with. */
export type Ending = 'ready' | `failed(${string})` | `skipped(${string})`
export type Made = { bytes: Buffer; ending: Ending }
/** A file of our making: its kind and one seed per paragraph; an edit changes one of them. */
export type Recipe = { kind: string; seeds: readonly string[] }

const goodKinds = ['txt-zh', 'txt-en', 'md', 'html', 'docx', 'csv', 'json', 'jsonl', 'xlsx', 'pdf', 'pdf-zh'] as const
const badKinds = [
  'empty',
  'locked.pdf',
  'locked.docx',
  'half.docx',
  'text.docx',
  'picture.pdf',
  'old.doc',
  'blank.pdf',
  'photo.bmp',
] as const
const BAD_SHARE = 0.08

const zh =
  '设备 电源 温度 记录 仓库 合同 工资 假期 员工 网络 服务 报告 预算 客户 订单 质量 检查 培训 安全 维护 系统 数据 文档 流程 审批 会议'.split(
    ' ',
  )
const en =
  'pump valve sensor invoice holiday contract server backup budget client order audit training safety repair system record budget review meeting'.split(
    ' ',
  )
const ole = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

export function pickKind(random: () => number): string {
  const kinds: readonly string[] = random() < BAD_SHARE ? badKinds : goodKinds
  return kinds[Math.floor(random() * kinds.length)]!
}

export function isBad({ kind }: Recipe): boolean {
  return (badKinds as readonly string[]).includes(kind)
}

export function extensionOf({ kind }: Recipe): string {
  if (kind === 'empty') return 'txt'
  return kind.includes('.') ? kind.slice(kind.indexOf('.') + 1) : kind.split('-')[0]!
}

/** The bytes of a recipe: no two seeds give the same text. */
export function makeFile({ kind, seeds }: Recipe): Made {
  const english = seeds.map((seed) => tell(seed, en, ' '))
  const chinese = seeds.map((seed) => tell(seed, zh, '，'))
  const mark = seeds.join(' ')
  const ready = (bytes: Buffer | string): Made => ({ bytes: Buffer.from(bytes), ending: 'ready' })
  const bad = (bytes: Buffer | string, code: string, state: 'failed' | 'skipped' = 'failed'): Made => ({
    bytes: Buffer.from(bytes),
    ending: `${state}(${code})`,
  })
  switch (kind) {
    case 'txt-zh':
      return ready(chinese.join('\n\n'))
    case 'txt-en':
      return ready(english.join('\n\n'))
    case 'md':
      return ready(`# 手册 ${seeds[0]}\n\n${seeds.map((seed, i) => `## ${seed}\n\n${chinese[i]}\n\n${english[i]}`).join('\n\n')}\n`)
    case 'html':
      return ready(
        `<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>${seeds[0]}</title></head><body><main><h1>${seeds[0]}</h1>${chinese.map((text) => `<p>${text}</p>`).join('')}</main></body></html>`,
      )
    case 'docx':
      return ready(makeDocx(english.map((text) => paragraph(text)).join('')))
    case 'csv':
      return ready(['name,number,text', ...seeds.map((seed, i) => `${seed},${i},"${english[i]}"`)].join('\n'))
    case 'json':
      return ready(
        JSON.stringify(
          seeds.map((seed, i) => ({ name: seed, text: chinese[i] })),
          null,
          2,
        ),
      )
    case 'jsonl':
      return ready(seeds.map((seed, i) => JSON.stringify({ name: seed, text: english[i] })).join('\n'))
    case 'xlsx':
      return ready(makeXlsx([['name', 'text'], ...seeds.map((seed, i) => [seed, chinese[i]!])]))
    case 'pdf':
      return ready(makePdf(english.map((text) => lines(text, 80))))
    case 'pdf-zh':
      return ready(makePdf(chinese.map((text) => lines(text, 40))))
    case 'empty':
      return bad('', 'empty')
    case 'locked.pdf':
      return bad(
        makePdf([[{ text: mark }]], {
          trailer: `/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <${'28'.repeat(32)}> /U <${'11'.repeat(32)}> /P -4 >>`,
        }),
        'encrypted',
      )
    case 'locked.docx':
      return bad(Buffer.concat([ole, Buffer.from('EncryptedPackage', 'utf16le'), Buffer.from(mark)]), 'encrypted')
    case 'half.docx': {
      const whole = makeDocx(english.map((text) => paragraph(text)).join(''))
      return bad(whole.subarray(0, whole.length / 2), 'corrupt')
    }
    case 'text.docx':
      return bad(`no zip at all: ${mark}`, 'corrupt')
    case 'picture.pdf':
      return bad(Buffer.concat([png, Buffer.from(mark)]), 'type_mismatch')
    case 'old.doc':
      return bad(Buffer.concat([ole, Buffer.from(mark)]), 'unsupported')
    case 'blank.pdf':
      return bad(makePdf([[]], { trailer: `/Note (${mark})` }), 'no_text')
    case 'photo.bmp':
      return bad(Buffer.concat([png, Buffer.from(mark)]), 'unsupported', 'skipped')
    default:
      throw new Error(`no such kind of file: ${kind}`)
  }
}

/** A paragraph of some 150 characters that its seed alone decides. */
function tell(seed: string, words: readonly string[], gap: string): string {
  let state = [...seed].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 7)
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    return (state >>> 8) % 10_000
  }
  const parts = Array.from({ length: 16 }, () => `${words[next() % words.length]}${next()}`)
  return gap === ' ' ? `About ${seed}: ${parts.join(' ')}.` : `关于 ${seed}：${parts.join(gap)}。`
}

function lines(text: string, width: number): { text: string }[] {
  return Array.from({ length: Math.ceil(text.length / width) }, (_, i) => ({ text: text.slice(i * width, (i + 1) * width) }))
}
