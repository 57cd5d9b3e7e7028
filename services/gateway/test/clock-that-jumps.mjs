// Preloaded into a gateway: SIGUSR2 sets its wall clock to CLOCK_JUMP_TO (milliseconds since 1970, or +/- milliseconds), as an operator or NTP would.
const Real = Date
const to = process.env.CLOCK_JUMP_TO ?? '+0'
let shift = 0
process.on('SIGUSR2', () => {
  shift = /^[+-]/.test(to) ? Number(to) : Number(to) - Real.now()
  process.stdout.write(`${JSON.stringify({ msg: 'the clock has jumped' })}\n`)
})
globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shift)
    else super(...given)
  }
  static now() {
    return Real.now() + shift
  }
}
