import { expect, test } from 'vitest'
import { readOptions } from './options.ts'

test('a folder, a port and a data folder are taken from the command line before the environment', () => {
  const options = readOptions(
    ['manuals', '--port', '8090', '--data', 'd'],
    { PORT: '1', DOCENT_FOLDER: '/elsewhere', DOCENT_DATA: '/x' },
    '/home/me',
  )
  expect(options).toEqual({ folder: '/home/me/manuals', port: 8090, host: '127.0.0.1', dataDir: '/home/me/d' })
})

test('the environment does the same', () => {
  const options = readOptions([], { PORT: '9000', DOCENT_FOLDER: '~/m', DOCENT_DATA: '/x', HOME: '/home/me' }, '/')
  expect(options).toEqual({ folder: '/home/me/m', port: 9000, host: '127.0.0.1', dataDir: '/x' })
})

test('every problem is named at once, without values', () => {
  expect(() => readOptions(['a', 'b', '--port', 'eighty', '--colour', 'red'], {}, '/')).toThrow(/--colour[\s\S]*FOLDER[\s\S]*--port/)
})

test('an option without its value is a problem, an empty variable is none', () => {
  expect(() => readOptions(['--data=', '--port', '--host'], {}, '/')).toThrow(/--port: needs a value[\s\S]*--data: needs a value/)
  expect(readOptions(['m'], { PORT: '', DOCENT_HOST: '', DOCENT_FOLDER: '' }, '/home')).toMatchObject({ port: 8080, host: '127.0.0.1' })
})

test('each folder has its own data, the sample folder the plain one', () => {
  const dataOf = (...argv: string[]) => readOptions(argv, {}, '/home/me').dataDir
  expect(dataOf()).toMatch(/\.docent$/)
  expect(dataOf('a/manuals')).toMatch(/\.docent\/folders\/manuals-[0-9a-f]{8}$/)
  expect(dataOf('a/manuals')).toBe(dataOf('./a/manuals/'))
  expect(dataOf('b/manuals')).not.toBe(dataOf('a/manuals'))
  expect(dataOf('手册 1')).toMatch(/\/手册-1-[0-9a-f]{8}$/)
})
