/** Figures as people read them: at most three digits that matter, a unit always. */

/** @param us microseconds. */
export function duration(us: number): string {
  if (!Number.isFinite(us)) return '–';
  const size = Math.abs(us);
  const sign = us < 0 ? '−' : '';
  if (size < 1_000) return `${sign}${digits(size)} µs`;
  if (size < 999_500) return `${sign}${digits(size / 1_000)} ms`;
  if (size < 60_000_000) return `${sign}${digits(size / 1_000_000)} s`;
  return `${sign}${longDuration(Math.round(size / 1_000_000))}`;
}

export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Short enough for a node of the graph: 1,234 is 1.2k. */
export function shortCount(value: number): string {
  if (value < 1_000) return digits(value);
  if (value < 999_500) return `${digits(value / 1_000)}k`;
  return `${digits(value / 1_000_000)}M`;
}

export function rate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  if (perSecond < 0.1) return `${digits(perSecond * 60)}/min`;
  return `${shortCount(perSecond)}/s`;
}

/** @param share 0 to 1. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  if (share === 0) return '0 %';
  const value = Math.abs(share) * 100;
  const sign = share < 0 ? '−' : '';
  if (value < 0.1) return `${sign}<0.1 %`;
  if (value > 99.9 && value < 100) return `${sign}>99.9 %`;
  return `${sign}${value < 10 ? trim(value.toFixed(1)) : Math.round(value)} %`;
}

export function signedPercent(share: number): string {
  return share > 0 ? `+${percent(share)}` : percent(share);
}

/** @param ms milliseconds of Unix time. @param zone undefined is the reader's own. */
export function clock(ms: number, zone?: 'UTC', withMillis = false): string {
  return isoText(ms, zone).slice(11, withMillis ? 23 : 19);
}

export function day(ms: number, zone?: 'UTC'): string {
  const iso = isoText(ms, zone);
  return `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)}`;
}

export function dayAndClock(ms: number, zone?: 'UTC'): string {
  return `${day(ms, zone)}, ${clock(ms, zone)}`;
}

/** How long ago, or how long: `12 s`, `3 min`, `5 h`, `2 days`. */
export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

function longDuration(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (hours > 0) return `${count(hours)} h ${minutes} min`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

function digits(value: number): string {
  if (value === 0) return '0';
  if (value < 10) return trim(value.toFixed(value < 1 ? 2 : 1));
  return String(Math.round(value));
}

const trim = (value: string) => value.replace(/\.?0+$/, '');

/** Intl would say the same after a fifth of a second of loading its tables, before the page's first paint. */
function isoText(ms: number, zone: 'UTC' | undefined): string {
  const offsetMinutes = zone === 'UTC' ? 0 : new Date(ms).getTimezoneOffset();
  return new Date(ms - offsetMinutes * 60_000).toISOString();
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
