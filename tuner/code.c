/* code.c: the names that tell what a function is; see code.h. */
#include "tuner/code.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "profile/special.h"
#include "symbol/demangle.h"

struct rule {
	const char *name; /* a trailing * matches any rest */
	uint32_t traits;
};

static const struct rule rules[] = {
    /* Go's allocator and collector */
    {"runtime.mallocgc*", PF_CODE_ALLOCATION},
    {"runtime.newobject", PF_CODE_ALLOCATION},
    {"runtime.makeslice*", PF_CODE_ALLOCATION},
    {"runtime.growslice", PF_CODE_ALLOCATION},
    {"runtime.newarray", PF_CODE_ALLOCATION},
    {"runtime.rawstring*", PF_CODE_ALLOCATION},
    {"runtime.rawbyteslice", PF_CODE_ALLOCATION},
    {"runtime.gcBgMarkWorker*", PF_CODE_GC_MARK},
    /* what only runs while a cycle does, in whoever starts it, writes a pointer or allocates meanwhile */
    {"runtime.gcStart*", PF_CODE_GC_MARK},
    {"runtime.gcMarkDone*", PF_CODE_GC_MARK},
    {"runtime.gcMarkTermination*", PF_CODE_GC_MARK},
    {"runtime.wbBufFlush*", PF_CODE_GC_MARK},
    {"runtime.gcmarknewobject", PF_CODE_GC_MARK},
    {"runtime.gcDrainMarkWorkerIdle", PF_CODE_GC_IDLE},
    {"runtime.gcAssistAlloc*", PF_CODE_GC_ASSIST},
    /* what an allocation sweeps it needs, to find room: it goes with the bytes allocated more than with 1/GOGC */
    {"runtime.bgsweep", PF_CODE_GC_SWEEP},
    /* C and C++ allocation; what a free does with mappings gives them back, by whatever names libc has inside */
    {"malloc", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"calloc", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"realloc", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"free", PF_CODE_ALLOCATION | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"cfree", PF_CODE_ALLOCATION | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"memalign", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"aligned_alloc", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"posix_memalign", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__libc_malloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__libc_calloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__libc_free*", PF_CODE_ALLOCATION | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"__libc_realloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_int_malloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_int_free*", PF_CODE_ALLOCATION | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"_int_realloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_int_memalign*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"malloc_consolidate", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"unlink_chunk", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"tcache_get", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"tcache_get2", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"tcache_put", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"tcache_init", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"tcache_thread_shutdown", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"arena_get2", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"sysmalloc", PF_CODE_ALLOCATION | PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"systrim", PF_CODE_ALLOCATION | PF_CODE_MAPPING | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"grow_heap", PF_CODE_ALLOCATION | PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"shrink_heap", PF_CODE_ALLOCATION | PF_CODE_MAPPING | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"heap_trim", PF_CODE_ALLOCATION | PF_CODE_MAPPING | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"operator new*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"operator delete*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_Znwm*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_Znam*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_ZdlPv*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"_ZdaPv*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__rust_alloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__rust_realloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__rust_dealloc*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__rdl_*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"__rg_*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"tcmalloc::*", PF_CODE_ALLOCATION | PF_CODE_LIBRARY},
    {"mmap", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"mmap64", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"__mmap*", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"munmap", PF_CODE_MAPPING | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"__munmap", PF_CODE_MAPPING | PF_CODE_UNMAPPING | PF_CODE_LIBRARY},
    {"madvise", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"__madvise", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"mprotect", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"__mprotect", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"brk", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    {"__brk", PF_CODE_MAPPING | PF_CODE_LIBRARY},
    /* locks */
    {"sync.(*Mutex).Lock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"sync.(*Mutex).Unlock*", PF_CODE_LOCK},
    {"sync.(*RWMutex).Lock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"sync.(*RWMutex).RLock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"sync.(*RWMutex).*nlock", PF_CODE_LOCK},
    {"internal/sync.(*Mutex).Lock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"internal/sync.(*Mutex).lockSlow", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"internal/sync.(*Mutex).Unlock*", PF_CODE_LOCK},
    {"internal/sync.(*Mutex).unlockSlow", PF_CODE_LOCK},
    {"sync.runtime_SemacquireMutex", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"sync.runtime_SemacquireRWMutex*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"internal/sync.runtime_SemacquireMutex", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
    {"pthread_mutex_lock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"pthread_mutex_timedlock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_mutex_lock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"___pthread_mutex_lock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"pthread_mutex_clocklock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_mutex_timedlock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_mutex_clocklock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"pthread_rwlock_*rdlock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"pthread_rwlock_*wrlock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_rwlock_rdlock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_rwlock_wrlock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_rwlock_timed*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"__pthread_rwlock_clock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"___pthread_rwlock_rdlock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"___pthread_rwlock_wrlock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"___pthread_rwlock_timed*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"___pthread_rwlock_clock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"pthread_mutex_unlock", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"pthread_rwlock_unlock", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"__pthread_mutex_unlock*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"__pthread_rwlock_unlock*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"___pthread_mutex_unlock*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"___pthread_rwlock_unlock*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"pthread_spin_lock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_SPIN | PF_CODE_LIBRARY},
    {"__pthread_spin_lock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_SPIN | PF_CODE_LIBRARY},
    {"tbb::spin_mutex::*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"tbb::detail::d1::spin_mutex::*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"tbb::internal::atomic_backoff::pause*", PF_CODE_SPIN | PF_CODE_LIBRARY},
    {"tbb::detail::d0::atomic_backoff::pause*", PF_CODE_SPIN | PF_CODE_LIBRARY},
    {"tbb::detail::d0::machine_pause*", PF_CODE_SPIN | PF_CODE_LIBRARY},
    {"mtx_lock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"mtx_timedlock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"mtx_unlock", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"__lll_lock_wait*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    /* only where somebody waits */
    {"__lll_lock_wake*", PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"base::internal::SpinLockWake*", PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"_ZN4base8internal12SpinLockWake*", PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"SpinLock::SlowLock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"_ZN8SpinLock8SlowLock*", PF_CODE_LOCK | PF_CODE_LOCK_WAIT | PF_CODE_LIBRARY},
    {"std::mutex::lock*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"std::unique_lock*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"std::lock_guard*", PF_CODE_LOCK | PF_CODE_LIBRARY},
    {"absl::*", PF_CODE_LIBRARY},
    /* waiting for nobody, and for somebody in the program */
    {"runtime.lock2", PF_CODE_INNER_LOCK},
    {"runtime.unlock2", PF_CODE_INNER_LOCK},
    {"time.Sleep", PF_CODE_SLEEP},
    {"nanosleep", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"clock_nanosleep*", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"__clock_nanosleep*", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"__nanosleep", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"usleep", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"sleep", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"__sleep", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"runtime.chansend*", PF_CODE_CHANNEL | PF_CODE_SENDS},
    {"runtime.chanrecv*", PF_CODE_CHANNEL},
    {"runtime.selectgo", PF_CODE_CHANNEL},
    {"runtime.block", PF_CODE_CHANNEL},
    {"sync.(*WaitGroup).Wait", PF_CODE_CHANNEL},
    {"sync.(*Cond).Wait", PF_CODE_CHANNEL},
    {"pthread_cond_wait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"pthread_cond_timedwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"pthread_cond_clockwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__pthread_cond_wait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__pthread_cond_timedwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__pthread_cond_clockwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"___pthread_cond_wait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"___pthread_cond_timedwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"___pthread_cond_clockwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"pthread_join", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__pthread_clockjoin*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"pthread_cond_signal*", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"pthread_cond_broadcast*", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"__pthread_cond_signal*", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"__pthread_cond_broadcast*", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"___pthread_cond_signal*", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"___pthread_cond_broadcast*", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"cnd_signal", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"cnd_broadcast", PF_CODE_WAKE | PF_CODE_LIBRARY},
    {"sched_yield", PF_CODE_YIELD | PF_CODE_LIBRARY},
    {"__sched_yield", PF_CODE_YIELD | PF_CODE_LIBRARY},
    {"thrd_yield", PF_CODE_YIELD | PF_CODE_LIBRARY},
    {"cnd_wait", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"cnd_timedwait", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"thrd_join", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"thrd_sleep", PF_CODE_SLEEP | PF_CODE_LIBRARY},
    {"sem_wait", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"sem_timedwait", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"sem_clockwait", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__new_sem_wait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__new_sem_timedwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"__new_sem_clockwait*", PF_CODE_CHANNEL | PF_CODE_LIBRARY},
    {"[" PF_AGENT_NAME "*", PF_CODE_WRAPPER | PF_CODE_LIBRARY},
    /* waiting for somebody outside */
    {"net.(*conn).Read", PF_CODE_OUTSIDE},
    {"net.(*conn).Write", PF_CODE_OUTSIDE},
    {"net.(*Resolver).*", PF_CODE_OUTSIDE},
    {"internal/poll.(*FD).*", PF_CODE_OUTSIDE},
    {"net.(*netFD).*", PF_CODE_OUTSIDE | PF_CODE_SOCKET},
    {"internal/poll.runtime_pollWait", PF_CODE_OUTSIDE | PF_CODE_PARKED},
    {"net/http.(*persistConn).roundTrip", PF_CODE_OUTSIDE},
    {"net/http.(*Transport).getConn", PF_CODE_POOL | PF_CODE_OUTSIDE},
    {"database/sql.(*DB).conn", PF_CODE_POOL},
    {"google.golang.org/grpc.(*clientStream).RecvMsg", PF_CODE_OUTSIDE},
    {"syscall.Syscall*", PF_CODE_OUTSIDE},
    {"syscall.fsync", PF_CODE_OUTSIDE},
    {"recv", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"recvfrom", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"recvmsg", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__libc_recv*", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__recv*", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"read", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__read*", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__libc_read", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"write", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__write*", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__libc_write", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pread", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pread64", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"preadv", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"preadv64", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"preadv2", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"preadv64v2", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pwrite", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pwrite64", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pwritev", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pwritev64", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pwritev2", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"pwritev64v2", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"send", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__libc_send*", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"connect", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__connect", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__libc_connect", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"fsync", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"fdatasync", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"poll", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    {"__poll*", PF_CODE_OUTSIDE | PF_CODE_LIBRARY},
    /* a server between two requests */
    {"net.(*TCPListener).Accept*", PF_CODE_SERVER},
    {"net.(*UnixListener).Accept*", PF_CODE_SERVER},
    {"net/http.(*connReader).backgroundRead", PF_CODE_SERVER},
    {"net/http.(*conn).readRequest", PF_CODE_SERVER},
    {"net/http.(*connReader).Read", PF_CODE_CALLER},
    {"net/http.(*http2serverConn).serve", PF_CODE_SERVER},
    {"net/http.(*http2serverConn).readFrames", PF_CODE_SERVER},
    {"golang.org/x/net/http2.(*serverConn).serve", PF_CODE_SERVER},
    {"golang.org/x/net/http2.(*serverConn).readFrames", PF_CODE_SERVER},
    {"google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams", PF_CODE_SERVER},
    {"google.golang.org/grpc/internal/transport.(*http2Server).keepalive", PF_CODE_SERVER},
    {"google.golang.org/grpc/internal/transport.(*loopyWriter).run", PF_CODE_SERVER},
    /* a client's: of a connection's two loops one is enough */
    {"net/http.(*persistConn).readLoop", PF_CODE_CLIENT},
    {"net/http.(*persistConn).writeLoop", PF_CODE_SERVER | PF_CODE_CLIENT},
    {"accept", PF_CODE_SERVER | PF_CODE_LIBRARY},
    {"accept4", PF_CODE_SERVER | PF_CODE_LIBRARY},
    {"__libc_accept*", PF_CODE_SERVER | PF_CODE_LIBRARY},
    {"epoll_wait", PF_CODE_SERVER | PF_CODE_LIBRARY},
    {"epoll_pwait*", PF_CODE_SERVER | PF_CODE_LIBRARY},
    /* a server in a request */
    {"net/http.serverHandler.ServeHTTP", PF_CODE_REQUEST},
    {"google.golang.org/grpc.(*Server).handleStream", PF_CODE_REQUEST},
    {"github.com/valyala/fasthttp.(*Server).serveConn", PF_CODE_REQUEST},
    /* serialisation */
    {"encoding/json.*", PF_CODE_SERIAL},
    {"encoding/xml.*", PF_CODE_SERIAL},
    {"encoding/gob.*", PF_CODE_SERIAL},
    {"encoding/csv.*", PF_CODE_SERIAL},
    {"encoding/asn1.*", PF_CODE_SERIAL},
    {"google.golang.org/protobuf/*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"github.com/golang/protobuf/*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"github.com/gogo/protobuf/*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"github.com/json-iterator/go.*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"github.com/goccy/go-json*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"github.com/vmihailenco/msgpack*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"gopkg.in/yaml.*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"google::protobuf::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"nlohmann::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"rapidjson::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"Json::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"cJSON_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_dumps", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_dumpb", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_dumpf", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_dumpfd", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_dump_file", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_dump_callback", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_loads", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_loadb", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_loadf", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_loadfd", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_load_file", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_load_callback", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_tokener_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"json_object_to_json_string*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"yajl_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"simdjson::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlReadDoc", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlReadFile", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlReadFd", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlReadMemory", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlCtxtRead*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlParseDocument", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlParseChunk", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlSAX2*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlTextReaderRead", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlDocDump*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlNodeDump*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"xmlFreeDoc", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"XML_Parse", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"XML_ParseBuffer", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"pugi::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"tinyxml2::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"rapidxml::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"YAML::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"yaml_parser_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"yaml_emitter_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"flatbuffers::*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"protobuf_c_message_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
    {"msgpack_*", PF_CODE_SERIAL | PF_CODE_LIBRARY},
};

/* A name of C's, and what a compiler or a linker puts behind it: "sysmalloc.part.0", "pread64@GLIBC_2.2.5". */
static bool
is_c_name(const char *name, const char *pattern)
{
	size_t size = strlen(pattern);

	return strncmp(name, pattern, size) == 0 &&
	       (!name[size] ||
		   ((name[size] == '.' || name[size] == '@') && !strpbrk(pattern, ".:")));
}

/* One * may stand anywhere. */
static bool
matches(const char *name, const char *pattern)
{
	const char *star = strchr(pattern, '*');
	size_t head, tail, size = strlen(name);

	/* Go's receivers, "(*T)", have a star of their own. */
	while (star && star > pattern && star[-1] == '(')
		star = strchr(star + 1, '*');
	if (!star)
		return is_c_name(name, pattern);
	head = (size_t)(star - pattern);
	tail = strlen(star + 1);
	return size >= head + tail && memcmp(name, pattern, head) == 0 &&
	       memcmp(name + size - tail, star + 1, tail) == 0;
}

/* Whether a Go name is of the standard library: the first element of its import path is one of these. */
static bool
is_standard_go(const char *name)
{
	static const char *const packages[] = {"archive", "bufio", "builtin", "bytes", "cmp",
	    "compress", "container", "context", "crypto", "database", "debug", "embed", "encoding",
	    "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal",
	    "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect",
	    "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync",
	    "syscall", "testing", "text", "time", "type:", "unicode", "unique", "unsafe", "vendor",
	    "weak"};
	/* Of the runtime's assembly, which has no package: file-local functions. */
	static const char *const assembly[] = {"aeshashbody", "cmpbody", "countbody",
	    "countbytebody", "gcWriteBarrier", "indexbody", "indexbytebody", "memeqbody"};
	size_t size = strcspn(name, "/.");

	for (size_t i = 0; !name[size] && i < sizeof assembly / sizeof *assembly; i++) {
		if (strcmp(name, assembly[i]) == 0)
			return true;
	}
	if (!name[size])
		return false;
	for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
		if (strlen(packages[i]) == size && memcmp(name, packages[i], size) == 0)
			return true;
	}
	return false;
}

/* What Go's compiler makes of a deferred call with arguments: nobody wrote it. */
static bool
is_deferring(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && strncmp(end, ".deferwrap", 10) == 0 && end[10] >= '1' && end[10] <= '9';
}

static bool
starts_with_any(const char *name, const char *const *beginnings)
{
	for (; *beginnings; beginnings++) {
		if (strncmp(name, *beginnings, strlen(*beginnings)) == 0)
			return true;
	}
	return false;
}

/*
 * Whether a C++ name is of the standard library: of std:: or of __gnu_cxx::, its lambdas and instances for
 * the service's types too, or a function without a scope that libstdc++ or libc++ has for itself (what locks a
 * std::mutex, say). Mangled, std:: is St, or an abbreviation of one of its classes (Itanium C++ ABI, 5.1.8).
 */
static bool
is_standard_cpp(const char *name)
{
	static const char *const plain[] = {"std::", "__gnu_cxx::", "__cxxabiv1::", NULL};
	static const char *const inner[] = {"__gthread_", "__gthrw_", "__glibcxx_", "__libcpp_",
	    "__cxa_", "__gxx_", "__gnu_cxx", "__cxxabiv1", NULL};
	static const char *const nested[] = {"St", "Sa", "Sb", "Ss", "Si", "So", "Sd", NULL};

	if (strncmp(name, "_Z", 2) != 0)
		return starts_with_any(name, plain) || starts_with_any(name, inner);
	name += 2;
	while (*name == 'Z') /* something inside of a function */
		name++;
	if (*name == 'L') /* static */
		name++;
	if (*name != 'N')
		return strncmp(name, "St", 2) == 0 ||
		       starts_with_any(name + strspn(name, "0123456789"), inner);
	name++;
	name += strspn(name, "rVKRO"); /* of a member function: const, && … */
	return starts_with_any(name, nested) ||
	       starts_with_any(name + strspn(name, "0123456789"), inner);
}

/* Of Rust's standard library, as mangled names have them, and the compiler's own. */
static const char *const rust_crates[] = {
    "3std", "4core", "5alloc", "7___rustc", "9hashbrown", NULL};

/* Whether a name is of Rust's standard library by the names that newer compilers give (RFC 2603). */
static bool
is_standard_rust_v0(const char *name)
{
	/* The first crate's root of the path: C, s and a number that ends with _, its name. */
	const char *root = strncmp(name, "_R", 2) == 0 ? strstr(name, "Cs") : NULL,
		   *end = root ? strchr(root, '_') : NULL;

	return end && starts_with_any(end + 1, rust_crates);
}

/* "<u8 as alloc::vec::SpecFromElem>::from_elem": a trait of the library's for a type that is in no crate, or for any. */
static bool
is_standard_for_nobodys_type(const char *name)
{
	static const char *const traits[] = {"std..", "core..", "alloc..", NULL};
	static const char as[] = "$u20$as$u20$";
	const char *trait = strncmp(name, "_$LT$", 5) == 0 ? strstr(name, as) : NULL,
		   *path = trait ? strstr(name, "..") : NULL;

	return trait && path > trait && starts_with_any(trait + sizeof as - 1, traits);
}

/* Whether a name is of Rust's standard library, of which a C++ namespace could bear the crates' names, "core" say. */
static bool
is_standard_rust(const char *name)
{
	static const char *const implemented[] = {
	    "_$LT$std..", "_$LT$core..", "_$LT$alloc..", "_$LT$hashbrown..", NULL};
	static const char *const plain[] = {"<std::", "<core::", "<alloc::", "alloc::alloc::",
	    "alloc::boxed::", "alloc::collections::", "alloc::raw_vec::", "alloc::rc::",
	    "alloc::slice::", "alloc::str::", "alloc::string::", "alloc::sync::", "alloc::vec::",
	    "core::fmt::", "core::iter::", "core::ops::", "core::ptr::", "core::slice::", NULL};
	enum { HASH = sizeof "17h0123456789abcdefE" - 1 };
	const char *clone = strstr(name, ".llvm.");
	size_t size = clone ? (size_t)(clone - name) : strlen(name);

	if (strncmp(name, "_ZN", 3) != 0)
		return is_standard_rust_v0(name) || starts_with_any(name, plain);
	if (size < 3 + HASH || strncmp(name + size - HASH, "17h", 3) != 0)
		return false;
	name += 3;
	if (starts_with_any(name, rust_crates))
		return true;
	name += strspn(name, "0123456789");
	return starts_with_any(name, implemented) || is_standard_for_nobodys_type(name);
}

/*
 * Binaries that are nobody's own code; all that is in an allocator's library is the allocator, and all in a parser's the
 * parser.
 */
static uint32_t
traits_of_binary(const char *file)
{
	static const struct rule binaries[] = {{"libc.so", 0}, {"libc-", 0}, {"ld-linux", 0},
	    {"libpthread", 0}, {"libstdc++", 0}, {"libgcc_s", 0}, {"libm.so", 0}, {"libabsl_", 0},
	    {"libjemalloc", PF_CODE_ALLOCATION}, {"libtcmalloc", PF_CODE_ALLOCATION},
	    {"libmimalloc", PF_CODE_ALLOCATION}, {PF_AGENT_NAME, 0}, {"[vdso]", 0},
	    {"[vsyscall]", 0}, {"[kernel", 0}, {"libxml2.so", PF_CODE_SERIAL},
	    {"libexpat", PF_CODE_SERIAL}, {"libxerces-c", PF_CODE_SERIAL},
	    {"libpugixml", PF_CODE_SERIAL}, {"libtinyxml", PF_CODE_SERIAL},
	    {"libjansson", PF_CODE_SERIAL}, {"libjson-c", PF_CODE_SERIAL},
	    {"libjsoncpp", PF_CODE_SERIAL}, {"libsimdjson", PF_CODE_SERIAL},
	    {"libcjson", PF_CODE_SERIAL}, {"libyajl", PF_CODE_SERIAL}, {"libyaml", PF_CODE_SERIAL},
	    {"libprotobuf", PF_CODE_SERIAL}, {"libmsgpack", PF_CODE_SERIAL},
	    {"libflatbuffers", PF_CODE_SERIAL}, {"libcbor", PF_CODE_SERIAL}};
	const char *slash = strrchr(file, '/');

	file = slash ? slash + 1 : file;
	for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
		if (strncmp(file, binaries[i].name, strlen(binaries[i].name)) == 0)
			return binaries[i].traits | PF_CODE_LIBRARY;
	}
	return 0;
}

uint32_t
pf_code_traits(const char *function, const char *file)
{
	uint32_t traits = traits_of_binary(file);
	const char *symbol = function;
	char readable[PF_DEMANGLED_ROOM];
	bool scoped;

	/* A name of no scope could be libc's without its parameters, as in "read(Buffer&)". */
	if (pf_demangle(function, readable, sizeof readable) &&
	    (strstr(readable, "::") || strncmp(readable, "operator", 8) == 0))
		function = readable;
	/* What glibc calls inside of itself is "__GI_" and the name. */
	if (strncmp(function, "__GI_", 5) == 0)
		function += 5;
	/* Newer compilers of Rust put the allocator's functions into a crate of their own. */
	if (strncmp(function, "__rustc::", 9) == 0)
		function += 9;
	if (is_standard_go(function) || is_standard_cpp(function) || is_standard_rust(symbol) ||
	    is_deferring(function) || strcmp(function, "_start") == 0 ||
	    strncmp(function, "__libc_start", 12) == 0)
		traits |= PF_CODE_LIBRARY;
	if (pf_code_is_allocator(function))
		traits |= PF_CODE_ALLOCATION | PF_CODE_LIBRARY;
	/* C's beginnings, such as "cJSON_*", say nothing of a class that is called acceptor. */
	scoped = strstr(function, "::") != NULL;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const char *name = rules[i].name;
		if (scoped && !strstr(name, "::") && strncmp(name, "operator", 8) != 0)
			continue;
		if (matches(function, name))
			traits |= rules[i].traits;
	}
	return traits;
}

uint32_t
pf_code_wait_traits(const char *word)
{
	static const struct rule words[] = {{"mutex", PF_CODE_LOCK | PF_CODE_LOCK_WAIT},
	    {"rwlock", PF_CODE_LOCK | PF_CODE_LOCK_WAIT}, {"condition", PF_CODE_CHANNEL},
	    {"semaphore", PF_CODE_CHANNEL}, {"join", PF_CODE_CHANNEL}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(word, words[i].name) == 0)
			return words[i].traits;
	}
	return 0;
}

/* Who connects or sends has asked for it, however long it takes: only what comes can be waited for at rest. */
bool
pf_code_is_sending(const char *call)
{
	return strncmp(call, "connect", 7) == 0 || strncmp(call, "send", 4) == 0 ||
	       strncmp(call, "write", 5) == 0 || strcmp(call, "splice") == 0;
}

uint32_t
pf_code_peer_traits(const char *word, const char *call, double seconds)
{
	static const struct rule words[] = {{"client", PF_CODE_SERVER}, {"self", PF_CODE_IDLE},
	    {"server", PF_CODE_ASKS}, {"file", PF_CODE_ASKS}};

	if (strcmp(word, "server") == 0 && seconds >= PF_LONGEST_REQUEST &&
	    !pf_code_is_sending(call))
		return PF_CODE_RESTS;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(word, words[i].name) == 0)
			return words[i].traits;
	}
	return 0;
}
