/**
 * The program that asks NVML: Python, so that no native module is needed; a process of its own, so that a driver that hangs or
 * crashes takes nothing along. For each line on its input it answers one: bytes of GPU memory by process, all GPUs together.
 */
export const NVML_HELPER = `
import ctypes, json, sys
INSUFFICIENT, UNKNOWN = 7, 2**64 - 1

class Info(ctypes.Structure):
    _fields_ = [("pid", ctypes.c_uint), ("used", ctypes.c_ulonglong), ("gpu", ctypes.c_uint), ("compute", ctypes.c_uint)]

def call(name, *words):
    code = getattr(nvml, name)(*words)
    if code not in (0, INSUFFICIENT):
        raise RuntimeError("%s answers %d" % (name, code))
    return code

def processes(device, name):
    room = 256
    while True:
        count, infos = ctypes.c_uint(room), (Info * room)()
        if call(name, device, ctypes.byref(count), infos) == 0:
            return infos[:count.value]
        room = max(2 * room, count.value + 64)

def look():
    count = ctypes.c_uint()
    call("nvmlDeviceGetCount_v2", ctypes.byref(count))
    total = {}
    for index in range(count.value):
        device = ctypes.c_void_p()
        call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(device))
        here = {}
        for name in ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3"):
            for info in processes(device, name):
                if info.used == UNKNOWN:
                    raise RuntimeError("the driver does not tell what process %d uses" % info.pid)
                # One process may stand in both lists, with the same memory.
                here[info.pid] = max(here.get(info.pid, 0), info.used)
        for pid, used in here.items():
            total[pid] = total.get(pid, 0) + used
    return total

def answer(do):
    try:
        print(json.dumps({"used": do()}), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)[:300]}), flush=True)

def begin():
    global nvml
    nvml = ctypes.CDLL(sys.argv[1])
    call("nvmlInit_v2")
    return look()

answer(begin)
for line in sys.stdin:
    answer(look)
`;
