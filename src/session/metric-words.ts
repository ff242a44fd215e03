/** The built-in metrics' names in reports; any other metric has its own name. */
const METRIC_WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    wall_time_s: 'wall time',
    cpu_time_s: 'CPU time',
    max_rss_bytes: 'memory (RSS)',
    memory_peak_bytes: 'memory peak (cgroup)',
    anonymous_memory_bytes: 'memory (anonymous)',
    user_time_s: 'CPU time (user)',
    system_time_s: 'CPU time (system)',
    page_faults_minor: 'page faults (minor)',
    page_faults_major: 'page faults (major)',
    context_switches_voluntary: 'context switches (voluntary)',
    context_switches_involuntary: 'context switches (involuntary)',
    io_read_bytes: 'read from storage',
    io_write_bytes: 'written to storage',
    throttled_time_s: 'time throttled',
    startup_time_s: 'start of the interpreter',
    ready_time_s: 'time until ready',
    stop_time_s: 'time to stop',
    load_cpu_time_s: 'CPU time of the load',
    image_size_bytes: 'image size',
    image_compressed_bytes: 'image size (compressed)',
    image_layers: 'image layers',
    valgrind_instructions: 'instructions (valgrind)',
    build_time_s: 'build time (cold)',
    build_cpu_time_s: 'build CPU (cold)',
  }),
);

export const metricWords = (metric: string): string => METRIC_WORDS.get(metric) ?? metric;
