/** Tells whoever sits at the terminal that a removal waits for a yes, and when it waits no more. Until `open` the lines are kept back. */
export function createRemovalTeller(say: (line: string) => void) {
  let isHeld = false
  let command: string | undefined
  const tellHeld = () => say(`many files are gone at once: their removal waits for a yes, which is  ${command}`)
  return {
    /** What ingest says of each reason for which it waits. */
    onPause(reason: string, isOn: boolean): void {
      if (reason !== 'mass_removal') return
      isHeld = isOn
      if (command === undefined) return
      if (isHeld) tellHeld()
      else say('no removal waits any more')
    },
    /** The terminal is free for lines. */
    open({ url, keyFile }: { url: string; keyFile: string }): void {
      command = `curl -X POST ${url}/api/v1/documents/confirm-removal -H "authorization: Bearer $(cat '${keyFile}')"`
      if (isHeld) tellHeld()
    },
  }
}
