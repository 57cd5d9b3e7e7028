import { posix } from 'node:path'
import { ExtractFailure } from '../failure.ts'
import { child, elements, textOf, type XmlNode, xmlTree } from './xml.ts'
import { readZipDirectory, readZipEntry, type ZipEntry } from './zip.ts'

/** A zip of parts. All that is read from it shares one budget; what is not asked for is never inflated. */
export type Package = {
  has(name: string): boolean
  names(): string[]
  read(name: string): Buffer | undefined
  tree(name: string): XmlNode | undefined
}

const MAX_BYTES = 64 * 1024 * 1024

/** Fails as encrypted, bomb, corrupt, or as type_mismatch where the zip is some other kind of document. */
export function openPackage(bytes: Buffer, main: string): Package {
  if (bytes.length > 8 && bytes.readUInt32LE(0) === 0xe011cfd0)
    throw new ExtractFailure(bytes.includes(Buffer.from('EncryptedPackage', 'utf16le')) ? 'encrypted' : 'type_mismatch')
  const entries = new Map<string, ZipEntry>(readZipDirectory(bytes).map((entry) => [entry.name, entry]))
  if (!entries.has(main)) {
    const isDocument = ['[Content_Types].xml', 'mimetype', 'META-INF/container.xml'].some((name) => entries.has(name))
    throw new ExtractFailure(isDocument ? 'type_mismatch' : 'corrupt')
  }
  let left = MAX_BYTES
  const read = (name: string) => {
    const entry = entries.get(name)
    if (!entry) return undefined
    const content = readZipEntry(bytes, entry, left)
    left -= content.length
    return content
  }
  return {
    has: (name) => entries.has(name),
    names: () => [...entries.keys()],
    read,
    tree(name) {
      const content = read(name)
      return content && xmlTree(content)
    },
  }
}

export type Relation = { target: string; type: string }

/** What a part of an Office file refers to, by id; links to the outside are left out. */
export function relationsOf(file: Package, part: string): Map<string, Relation> {
  const tree = file.tree(posix.join(posix.dirname(part), '_rels', `${posix.basename(part)}.rels`))
  const relations = new Map<string, Relation>()
  for (const { attributes } of tree ? elements(tree) : []) {
    const { Id, Target, Type, TargetMode } = attributes
    if (!Id || !Target || TargetMode === 'External') continue
    const target = Target.startsWith('/') ? Target.slice(1) : posix.join(posix.dirname(part), Target)
    relations.set(Id, { target, type: (Type ?? '').split('/').at(-1)! })
  }
  return relations
}

/** The title that the author gave an Office file. */
export function officeTitle(file: Package): string | undefined {
  const title = child(file.tree('docProps/core.xml'), 'title')
  return (title && textOf(title).trim()) || undefined
}
