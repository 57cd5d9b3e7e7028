/** Vectors rest as float16, little endian: half the bytes, and a dot product that differs in the fourth digit only. */
export function encodeFloat16(vector: Float32Array): Buffer {
  return Buffer.from(new Float16Array(vector).buffer)
}

export function decodeFloat16(bytes: Uint8Array): Float32Array {
  // copied, because a Buffer out of a pool may start at an odd address
  return new Float32Array(new Float16Array(Uint8Array.from(bytes).buffer))
}
