/* A stand-in for NVIDIA's management library, for tests: two GPUs, and processes as the file in FAKE_NVML says, one line each:
   GPU, process id, bytes, and C (computes), G (draws) or B (both). A line "fail" makes every answer an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  unsigned int pid;
  unsigned long long used;
  unsigned int gpu, compute;
} info_t;

static int listed(void *device, unsigned int *count, info_t *infos, char kind) {
  FILE *file = fopen(getenv("FAKE_NVML"), "r");
  unsigned int found = 0, room = *count;
  long gpu;
  unsigned int pid;
  unsigned long long bytes;
  char line[200], what;
  if (file == NULL) return 999;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "fail", 4) == 0) {
      fclose(file);
      return 999;
    }
    if (sscanf(line, "%ld %u %llu %c", &gpu, &pid, &bytes, &what) != 4) continue;
    if (gpu + 1 != (long)device || (what != kind && what != 'B')) continue;
    if (found < room) infos[found] = (info_t){pid, bytes, 0, 0};
    found++;
  }
  fclose(file);
  *count = found;
  return found > room ? 7 : 0;
}

int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { return *count = 2, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) { return *device = (void *)(long)(index + 1), 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, info_t *infos) {
  return listed(device, count, infos, 'C');
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned int *count, info_t *infos) {
  return listed(device, count, infos, 'G');
}
