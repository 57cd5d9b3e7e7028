// servers without a parser for a model's reasoning pass it on as text, in front of the answer
const thoughts = ['<think>', '<thinking>', '<thought>', '<reasoning>']
const longest = Math.max(...thoughts.map((mark) => mark.length))

/**
 * Finds the first word of an answer that comes piece by piece: white space before it is dropped, and so is reasoning between marks.
 * Once it was found, text passes as it is. `end` gives what was held back because more might have followed.
 */
export function createOpening(): { push(text: string): string; end(): string } {
  let isFound = false
  let held = ''
  let closing = '' // the mark that ends the reasoning that is being dropped

  function look(): string {
    for (;;) {
      if (closing) {
        const at = held.toLowerCase().indexOf(closing)
        held = at < 0 ? held.slice(-closing.length) : held.slice(at + closing.length)
        if (at < 0) return ''
        closing = ''
      }
      held = held.trimStart()
      const start = held.slice(0, longest).toLowerCase()
      const mark = thoughts.find((each) => start.startsWith(each))
      if (!mark) {
        if (thoughts.some((each) => each.startsWith(start))) return ''
        isFound = true
        const said = held
        held = ''
        return said
      }
      closing = mark.replace('<', '</')
      held = held.slice(mark.length)
    }
  }

  return {
    push(text) {
      if (isFound || text === '') return text
      held += text
      return look()
    },
    end() {
      const said = closing ? '' : held
      held = ''
      return said
    },
  }
}
