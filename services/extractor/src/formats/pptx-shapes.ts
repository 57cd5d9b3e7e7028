import { child, descendants, elements, type XmlNode } from './xml.ts'

/** `role` is the placeholder's type, '' for a free shape; `box` in EMU, absent where neither slide nor layout says it. */
export type Shape = { node: XmlNode; role: string; box?: Box }
type Box = { left: number; top: number; right: number; bottom: number }

const shapeNames = new Set(['sp', 'graphicFrame', 'cxnSp'])

/** Every shape of a slide, those of groups too; alternatives are read once. */
export function shapesOf(slide: XmlNode, layout: XmlNode | undefined): Shape[] {
  const tree = descendants(slide, 'spTree')[0]
  const placeholders = layout ? shapesOf(layout, undefined) : []
  return tree ? collect(tree).map((node) => toShape(node, placeholders)) : []
}

function collect(node: XmlNode): XmlNode[] {
  return elements(node).flatMap((one) => {
    if (shapeNames.has(one.name)) return [one]
    if (one.name === 'AlternateContent') return collect(child(one, 'Choice') ?? child(one, 'Fallback') ?? one)
    return one.name === 'grpSp' ? collect(one) : []
  })
}

function toShape(node: XmlNode, placeholders: readonly Shape[]): Shape {
  const placeholder = placeholderOf(node)
  const role = placeholder ? (placeholder.attributes.type ?? 'obj') : ''
  const own = boxOf(descendants(node, 'xfrm')[0])
  const inherited = placeholder && placeholders.find((one) => isSame(placeholder, placeholderOf(one.node)))?.box
  const box = own ?? inherited
  return { node, role, ...(box ? { box } : {}) }
}

function placeholderOf(node: XmlNode): XmlNode | undefined {
  const nonVisual = elements(node).find((one) => one.name.startsWith('nv'))
  return nonVisual && descendants(nonVisual, 'ph')[0]
}

function isSame(a: XmlNode, b: XmlNode | undefined): boolean {
  if (!b) return false
  return a.attributes.idx !== undefined ? a.attributes.idx === b.attributes.idx : a.attributes.type === b.attributes.type
}

function boxOf(transform: XmlNode | undefined): Box | undefined {
  const [at, size] = [child(transform, 'off'), child(transform, 'ext')]
  const [left, top] = [Number(at?.attributes.x), Number(at?.attributes.y)]
  const [width, height] = [Number(size?.attributes.cx), Number(size?.attributes.cy)]
  return [left, top, width, height].every(Number.isFinite) ? { left, top, right: left + width, bottom: top + height } : undefined
}

/**
 * Side by side: the left column whole, then the right one; otherwise from the top down.
 * A recursive cut at free bands, columns first (XY-cut); where boxes are unknown, the file's order stays.
 */
export function inReadingOrder(shapes: readonly Shape[]): Shape[] {
  const placed = shapes.filter((shape) => shape.box)
  if (placed.length < shapes.length) return [...shapes]
  return cut(placed)
}

function cut(shapes: readonly Shape[]): Shape[] {
  if (shapes.length < 2) return [...shapes]
  for (const [from, to] of [
    ['left', 'right'],
    ['top', 'bottom'],
  ] as const) {
    const groups = split(shapes, from, to)
    if (groups.length > 1) return groups.flatMap(cut)
  }
  return shapes.toSorted((a, b) => a.box!.top - b.box!.top || a.box!.left - b.box!.left)
}

/** Groups that no line across this axis cuts. */
function split(shapes: readonly Shape[], from: 'top' | 'left', to: 'bottom' | 'right'): Shape[][] {
  const groups: Shape[][] = []
  let end = -Infinity
  for (const shape of shapes.toSorted((a, b) => a.box![from] - b.box![from])) {
    // A few per cent of overlap is what boxes with margins do.
    const slack = (shape.box![to] - shape.box![from]) * 0.1
    if (shape.box![from] + slack >= end) groups.push([shape])
    else groups.at(-1)!.push(shape)
    end = Math.max(end, shape.box![to])
  }
  return groups
}
