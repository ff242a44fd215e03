import type { Comparison } from './comparison.ts';

/** The comparison as JSON for programs; docs/formats.md describes its fields. */
export function comparisonJson({ verdict, measuring, family, rows, warnings }: Comparison): unknown {
  return {
    verdict,
    ...(measuring === undefined
      ? {}
      : {
          changedMeasurement: {
            fails: measuring.refusedOver !== undefined,
            news: measuring.news.map(({ sentence, takesAway }) => ({ sentence, takesAway })),
          },
        }),
    family: { tests: family.tests, alpha: family.alpha },
    results: rows.map((row) => ({
      variant: row.variant,
      metric: row.metric,
      unit: row.unit,
      gated: row.gated,
      ...(row.warn === undefined ? {} : { limit: row.limit, warn: row.warn }),
      ...(row.bound === undefined ? {} : { bound: row.bound }),
      verdict: row.verdict,
      evidence: row.evidence,
      baseline: row.baseline,
      head: row.head,
      change: row.change,
      worse: row.worse,
      better: row.better,
      blocks: row.blocks,
      detectable: row.detectable,
      confirmation: row.confirmation,
      stored: row.stored,
      warnings: row.warnings,
    })),
    warnings,
  };
}
