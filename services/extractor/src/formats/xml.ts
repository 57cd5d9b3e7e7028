import { Parser } from 'htmlparser2'
import { ExtractFailure } from '../failure.ts'

/** Names are without their prefix, attributes with it. Text is a child as it stands. */
export type XmlNode = { name: string; attributes: Readonly<Record<string, string>>; children: (XmlNode | string)[] }

const MAX_DEPTH = 500
const SLICE_BYTES = 64 * 1024

/** Reads a part in slices; only the elements named in `trees` become objects, so that a long sheet costs a row at a time. */
export function readXml(
  content: Buffer,
  trees: ReadonlySet<string>,
  onTree: (node: XmlNode) => void,
  onOpen: (name: string, attributes: Readonly<Record<string, string>>) => void = () => undefined,
): void {
  // Neither entities of the document's own nor deep trees are written by any office program: both are attacks.
  if (content.includes('<!ENTITY')) throw new ExtractFailure('corrupt')
  let depth = 0
  const open: XmlNode[] = []
  const parser = new Parser(
    {
      onopentag(fullName, attributes) {
        if (++depth > MAX_DEPTH) throw new ExtractFailure('corrupt')
        const name = localName(fullName)
        const parent = open.at(-1)
        if (!parent && !trees.has(name)) return onOpen(name, attributes)
        const node: XmlNode = { name, attributes, children: [] }
        parent?.children.push(node)
        open.push(node)
      },
      ontext(text) {
        const node = open.at(-1)
        if (!node) return
        const last = node.children.length - 1
        if (typeof node.children[last] === 'string') node.children[last] += text
        else node.children.push(text)
      },
      onclosetag() {
        depth--
        const node = open.pop()
        if (node && open.length === 0) onTree(node)
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  const decoder = new TextDecoder(isUtf16(content) ? (content[0] === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8')
  for (let at = 0; at < content.length; at += SLICE_BYTES)
    parser.write(decoder.decode(content.subarray(at, at + SLICE_BYTES), { stream: true }))
  parser.end()
}

/** The whole of a small part. */
export function xmlTree(content: Buffer): XmlNode {
  let root: XmlNode | undefined
  readXml(content, { has: () => true } as unknown as ReadonlySet<string>, (node) => (root ??= node))
  if (!root) throw new ExtractFailure('corrupt')
  return root
}

export function elements(node: XmlNode): XmlNode[] {
  return node.children.filter((child) => typeof child !== 'string')
}

export function child(node: XmlNode | undefined, ...path: string[]): XmlNode | undefined {
  return path.reduce<XmlNode | undefined>((at, name) => at && elements(at).find((one) => one.name === name), node)
}

/** Every element of that name below, in order, but none inside another one of them. */
export function descendants(node: XmlNode, name: string): XmlNode[] {
  return elements(node).flatMap((one) => (one.name === name ? [one] : descendants(one, name)))
}

export function textOf(node: XmlNode): string {
  return node.children.map((one) => (typeof one === 'string' ? one : textOf(one))).join('')
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function isUtf16(content: Buffer): boolean {
  return (content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff)
}
