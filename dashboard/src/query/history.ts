/** Queries used before, newest first, per project and browser. */
const LIMIT = 12;
const nameOf = (project: string) => `z4j.queries.${project}`;

export function pastQueries(project: string): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(nameOf(project)) ?? "[]");
    return Array.isArray(stored) ? stored.filter((q) => typeof q === "string") : [];
  } catch {
    return [];
  }
}

export function remember(project: string, q: string): void {
  if (q.length < 3) return;
  const rest = pastQueries(project).filter((old) => old !== q);
  localStorage.setItem(nameOf(project), JSON.stringify([q, ...rest].slice(0, LIMIT)));
}
