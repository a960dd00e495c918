"""What psutil knows of a process, as one line of JSON."""

import json
import sys

import psutil

process = psutil.Process(int(sys.argv[1]))
times = process.cpu_times()
memory = process.memory_full_info()
counters = process.io_counters()
print(
    json.dumps(
        {
            "pids": psutil.pids(),
            "cpuSeconds": times.user + times.system,
            "resident": memory.rss,
            "virtual": memory.vms,
            "proportional": memory.pss,
            "threads": process.num_threads(),
            "descriptors": process.num_fds(),
            "readBytes": counters.read_bytes,
            "writtenBytes": counters.write_bytes,
            "created": process.create_time(),
        }
    )
)
