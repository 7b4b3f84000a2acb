export { otlpFromJson } from './otlp-from-json.ts';
export { type OtlpJson, type OtlpJsonValue, otlpToJson } from './otlp-to-json.ts';
