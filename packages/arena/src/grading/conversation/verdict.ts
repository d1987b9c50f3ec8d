/** What a judge says of a case. */
import { z } from "zod";

const MAX_TEXT = 4000;

const schema = z.strictObject({
  /** 0 … 1. Zod takes neither NaN nor infinities for numbers, nor true for 1. */
  value: z.number().min(0).max(1),
  detail: z.string().max(MAX_TEXT).optional(),
  message: z.string().max(MAX_TEXT).optional(),
});

export interface JudgeVerdict {
  readonly value: number;
  /** For whoever grades. */
  readonly detail: string | null;
  /** For whoever is graded, where the case is not hidden. */
  readonly message: string | null;
}

/** The verdict, or why it is none. */
export function verdictFrom(value: unknown): JudgeVerdict | string {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const { value: of, detail = null, message = null } = parsed.data;
    return { value: of + 0, detail, message };
  }
  return parsed.error.issues
    .map(({ path, message }) => `${path.length === 0 ? "" : `${path.join(".")}: `}${message}`)
    .join("; ")
    .slice(0, 500);
}
