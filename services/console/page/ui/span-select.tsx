import { roughly } from '../core/format.ts';

const SPANS_S = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800] as const;

/** A length of time, in seconds. */
export function SpanSelect({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (seconds: number) => void;
}) {
  const options = SPANS_S.some((seconds) => seconds === value) ? SPANS_S : [...SPANS_S, value].sort((a, b) => a - b);
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(Number(event.currentTarget.value))}>
      {options.map((seconds) => (
        <option key={seconds} value={seconds}>
          {roughly(seconds)}
        </option>
      ))}
    </select>
  );
}
