/**
 * What the trace-assembler keeps in Redis of partition p, for itself and for whoever looks at open traces. All under one
 * hash tag, so that it lives on one node of a cluster:
 *
 *   <prefix>:{p}:live                      the living namespace
 *   <prefix>:{p}:context                   stream time since which closed traces are remembered
 *   <prefix>:{p}:closed:<trace id>         revision and span hashes of a closed trace, for the horizon
 *   <prefix>:{p}:<namespace>:open          trace id → window name
 *   <prefix>:{p}:<namespace>:contexts      context id → encoded ResourceSpans without spans
 *   <prefix>:{p}:<namespace>:w:<window>    list of fragments
 *   <prefix>:{p}:<namespace>:index:<nonce> the worker's index, between a drain and its adoption
 */
export function windowKeys(prefix: string, partition: number) {
  const base = `${prefix}:{${partition}}`;
  return {
    live: `${base}:live`,
    context: `${base}:context`,
    closed: `${base}:closed:`,
    namespace: (namespace: string) => ({
      open: `${base}:${namespace}:open`,
      contexts: `${base}:${namespace}:contexts`,
      window: `${base}:${namespace}:w:`,
      index: `${base}:${namespace}:index:`,
    }),
  };
}
