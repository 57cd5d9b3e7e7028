// Loads what a child may ever load, so that Node keeps its compiled code in the folder that NODE_COMPILE_CACHE names.
import { readdirSync } from 'node:fs'
import { flushCompileCache } from 'node:module'

await import('./extract.ts')
const formats = new URL('./formats/', import.meta.url)
for (const name of readdirSync(formats)) if (!name.endsWith('.test.ts')) await import(new URL(name, formats).href)
flushCompileCache()
process.exit(0)
