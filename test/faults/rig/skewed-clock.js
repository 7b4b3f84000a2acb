/** Loaded into a service before everything else: its wall clock is off by CLOCK_SKEW_MS, its monotonic clock is not. */
const skewMs = Number(process.env['CLOCK_SKEW_MS']);
const RightDate = Date;

globalThis.Date = class extends RightDate {
  constructor(...args) {
    if (args.length === 0) super(RightDate.now() + skewMs);
    else super(...args);
  }

  static now() {
    return RightDate.now() + skewMs;
  }
};
