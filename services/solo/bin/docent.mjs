#!/usr/bin/env node
// `npx docent start|verify …`: the same as `npm start` and `npm run verify`
const [name = '', ...args] = process.argv.slice(2)
const commands = { start: './start.mjs', verify: './verify.mjs' }
if (!Object.hasOwn(commands, name)) {
  console.error(`docent: "${name}" is no command; there are ${Object.keys(commands).join(' and ')}`)
  process.exit(2)
}
process.argv.splice(2, process.argv.length, ...args)
await import(commands[name])
