/**
 * Tells whoever sits at the terminal that the folder is missing, or that a removal waits for a yes, and when either is over. Until `open`
 * the lines are kept back.
 */
export function createRemovalTeller(say: (line: string) => void) {
  const on = new Set<string>()
  let command: string | undefined
  const lines: Record<string, { on: () => string; off: string }> = {
    mass_removal: {
      on: () => `many files are gone at once: their removal waits for a yes, which is  ${command}`,
      off: 'no removal waits any more',
    },
    folder_missing: {
      on: () => 'the folder of documents is missing: nothing is removed until it is back',
      off: 'the folder of documents is back',
    },
  }
  return {
    /** What ingest says of each reason for which it waits. */
    onPause(reason: string, isOn: boolean): void {
      const line = lines[reason]
      if (!line) return
      if (isOn) on.add(reason)
      else on.delete(reason)
      if (command !== undefined) say(isOn ? line.on() : line.off)
    },
    /** The terminal is free for lines. */
    open({ url, keyFile }: { url: string; keyFile: string }): void {
      command = `curl -X POST ${url}/api/v1/documents/confirm-removal -H "authorization: Bearer $(cat '${keyFile}')"`
      for (const reason of on) say(lines[reason]!.on())
    },
  }
}
