/** Milliseconds of this thread's processor that `work` takes: what others do on the machine does not count. */
export function cpuMs(work: () => unknown): number {
  const started = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(started)
  return (user + system) / 1000
}
