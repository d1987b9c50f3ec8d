/*
 * Hex in C: Monte Carlo, limited by the number of playouts, so that the same seed plays the same match again. Each playout
 * fills the empty cells at random; the cell that was ours most often in the playouts we won is played ("all moves as
 * first", Brügmann, "Monte Carlo Go", 1993).
 *
 * It speaks the agent protocol (docs/agent-protocol.md) itself. The host writes compact JSON, so looking for a key as text
 * is enough here; an agent with more to read would take a JSON library.
 *
 * Build it as an executable named run: see build.sh.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 19, CELLS = LARGEST * LARGEST, PLAYOUTS = 5000, LINE = 1 << 16 };
enum { EMPTY, OURS, THEIRS, SEEN };

static int size, seat;
static uint64_t state;

/* xorshift64*, by Vigna; below n, and n is small enough for the bias not to matter. */
static int below(int n) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (int)((state * 2685821657736338717ULL >> 33) % (uint64_t)n);
}

/* What follows a key in the line; NULL if the key is not there. */
static const char *after(const char *line, const char *key) {
  const char *at = strstr(line, key);
  return at == NULL ? NULL : at + strlen(key);
}

/* Whether our stones join our two edges, on a full board. */
static int connected(unsigned char *board) {
  static const int rows[6] = {-1, -1, 0, 0, 1, 1}, columns[6] = {0, 1, -1, 1, -1, 0};
  int stack[CELLS], height = 0;
  for (int i = 0; i < size; i++) {
    int cell = seat == 0 ? i : i * size;
    if (board[cell] != OURS) continue;
    board[cell] = SEEN;
    stack[height++] = cell;
  }
  while (height > 0) {
    int cell = stack[--height], row = cell / size, column = cell % size;
    if ((seat == 0 ? row : column) == size - 1) return 1;
    for (int i = 0; i < 6; i++) {
      int r = row + rows[i], c = column + columns[i];
      if (r < 0 || r >= size || c < 0 || c >= size || board[r * size + c] != OURS) continue;
      board[r * size + c] = SEEN;
      stack[height++] = r * size + c;
    }
  }
  return 0;
}

static int choose(const unsigned char *board) {
  int empty[CELLS], left = 0;
  int wins[CELLS] = {0}, plays[CELLS] = {0};
  for (int cell = 0; cell < size * size; cell++)
    if (board[cell] == EMPTY) empty[left++] = cell;
  for (int playout = 0; playout < PLAYOUTS; playout++) {
    unsigned char filled[CELLS];
    memcpy(filled, board, sizeof filled);
    for (int i = left - 1; i > 0; i--) {
      int j = below(i + 1), cell = empty[i];
      empty[i] = empty[j];
      empty[j] = cell;
    }
    /* We are to move, so the odd one of the cells is ours. */
    for (int i = 0; i < left; i++) filled[empty[i]] = i % 2 == 0 ? OURS : THEIRS;
    int won = connected(filled);
    for (int i = 0; i < left; i += 2) {
      plays[empty[i]]++;
      wins[empty[i]] += won;
    }
  }
  int best = empty[0];
  for (int i = 1; i < left; i++)
    if ((long)wins[empty[i]] * plays[best] > (long)wins[best] * plays[empty[i]]) best = empty[i];
  return best;
}

static void start(const char *line) {
  const char *size_at = after(line, "\"size\":"), *seat_at = after(line, "\"seat\":"), *seed_at = after(line, "\"seed\":");
  if (size_at == NULL || seat_at == NULL || seed_at == NULL || (size = atoi(size_at)) < 2 || size > LARGEST) {
    puts("{\"id\":null,\"error\":\"this agent plays hex, sizes 2 to 19\"}");
    exit(0);
  }
  seat = atoi(seat_at);
  state = strtoull(seed_at, NULL, 10) * 2 + 1; /* never 0, where xorshift would stay */
  puts("{\"type\":\"ready\",\"protocol\":1}");
}

static void act(const char *line) {
  unsigned char board[CELLS] = {EMPTY};
  const char *id = after(line, "\"id\":"), *digits = after(line, "\"observation\":[");
  if (id == NULL || digits == NULL) return;
  /* For each cell, ours and then theirs: "1,0," */
  for (int cell = 0; cell < size * size; cell++, digits += 4)
    board[cell] = digits[0] == '1' ? OURS : digits[2] == '1' ? THEIRS : EMPTY;
  printf("{\"id\":%lu,\"action\":%d}\n", strtoul(id, NULL, 10), choose(board));
}

int main(void) {
  static char line[LINE];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strstr(line, "\"type\":\"start\"") != NULL) start(line);
    else if (strstr(line, "\"type\":\"act\"") != NULL) act(line);
    fflush(stdout); /* a pipe is not written to before it is flushed */
  }
  return 0;
}
