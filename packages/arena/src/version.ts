/** The engine's version, as replays and results name it. */
export const ENGINE_VERSION = "0.1.0";
