/** The newest `capacity` values, by key; reading a value keeps it. */
export type Lru<V> = { get(key: string): V | undefined; set(key: string, value: V): void }

export function createLru<V>(capacity: number): Lru<V> {
  const held = new Map<string, V>()
  return {
    get(key) {
      const value = held.get(key)
      if (value !== undefined) {
        held.delete(key)
        held.set(key, value)
      }
      return value
    },
    set(key, value) {
      held.delete(key)
      held.set(key, value)
      if (held.size > capacity) held.delete(held.keys().next().value!)
    },
  }
}
