import { expect, test } from 'vitest'
import { measureLayout } from './pdf-layout.ts'

const line = (text: string, size: number, bold = false) => ({ text, left: 70, right: 400, top: 100, size, bold })
const body = Array.from({ length: 20 }, (_, i) => line(`正文第 ${i} 行，说明如何安装软件包并修改配置文件。`, 10))

test('chapter titles are of one level, in one script or in two, whose fonts differ in size and weight', () => {
  const [mixed, plain, section] = [line('GUI（图形用户界面）系统', 20.7, true), line('数据管理', 20.4), line('10.2 备份', 14)]
  const { levelOf } = measureLayout([{ number: 1, height: 800, lines: [mixed, ...body, plain, section] }])
  expect([mixed, plain, section, body[0]!].map(levelOf)).toEqual([1, 1, 2, undefined])
})
