// 08 connection, 40 deadlock or serialisation, 53 resources, 57P shutdown; 55P03 a lock that was not to be had, 57014 statement timeout
const states = /^(08|40|53|57P|55P03$|57014$)/
// of the connection and of finding it; Docker's resolver says EAI_AGAIN of a container that is not there
const words = /ECONN|ENOTFOUND|EAI_|EHOST|ENET|EPIPE|ETIMEDOUT|timeout|terminated|ended/i

/** Whether a write was refused for want of room on the database's disk, also as the cause of another error. */
export function isDiskFull(error: unknown): boolean {
  const { code, cause } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; cause?: unknown }
  return code === '53100' || (cause !== undefined && isDiskFull(cause))
}

/** Whether a database's error is trouble that passes (no connection, overload, a deadlock), not a fault of the statement. */
export function isDatabaseTrouble(error: unknown): boolean {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown }
  const message = error instanceof Error ? error.message : ''
  return states.test(String(code ?? '')) || words.test(`${String(code ?? '')} ${message}`)
}
