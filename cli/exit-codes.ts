/** What `spanloom` exits with; sysexits numbers where they fit. Listed by `spanloom --help`. */
export const EXIT = {
  ok: 0,
  /** The command ran, and what it checked or tried failed. */
  failed: 1,
  /** Wrong arguments. */
  usage: 2,
  /** The answer is there, but objects of the archive were skipped, each named on stderr. */
  incomplete: 2,
  /** A defect in Spanloom. */
  internal: 70,
  /** Wrong settings. */
  settings: 78,
} as const;
