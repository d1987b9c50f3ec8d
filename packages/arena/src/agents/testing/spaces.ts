/** An action space of parts, a text among them, as agents are told of it. */
export const PARTS = {
  type: "Dict",
  spaces: {
    pair: {
      type: "Tuple",
      spaces: [
        { type: "Discrete", n: 3 },
        { type: "Box", shape: [2], dtype: "float32", low: -1, high: 1 },
      ],
    },
    said: { type: "Text", max_length: 9 },
  },
} as const;
