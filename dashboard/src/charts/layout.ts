/** Places for the nodes of a flow. The rule: parents left of children, order kept, every node placed once. */
export type Placed = { ref: string; column: number; line: number };

/** Longest-path columns, then lines in order of first appearance. Cycles cannot loop it. */
export function placeFlow(refs: string[], edges: [string, string][]): Placed[] {
  const known = new Set(refs);
  const inner = edges.filter(([from, to]) => known.has(from) && known.has(to) && from !== to);
  const column = new Map(refs.map((ref) => [ref, 0]));
  for (let round = 0; round < refs.length; round += 1) {
    let isChanged = false;
    for (const [from, to] of inner) {
      const least = (column.get(from) ?? 0) + 1;
      if ((column.get(to) ?? 0) < least && least < refs.length) {
        column.set(to, least);
        isChanged = true;
      }
    }
    if (!isChanged) break;
  }
  const lines = new Map<number, number>();
  return refs.map((ref) => {
    const at = column.get(ref) ?? 0;
    const line = lines.get(at) ?? 0;
    lines.set(at, line + 1);
    return { ref, column: at, line };
  });
}
