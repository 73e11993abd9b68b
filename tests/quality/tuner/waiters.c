/*
 * waiters.c: threads that wait: at sockets, for work, at a lock, for nothing; for record.py.
 *
 *	waiters requests   a thread a connection; most wait for their client's next request
 *	waiters clients    the same, but they read it some functions below the one they were started with
 *	waiters backend    a thread a connection; all wait for the answer of a slow one behind them
 *	waiters pool       300 threads that wait for work at a condition, and get a little of it
 *	waiters contended  six threads that want a lock which each of them holds for long
 *	waiters stuck      the pool, and 600 threads that sleep for good
 *
 * The clients, and what is behind, are one child process; it ends with this one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 32, WORKERS = 300, CONTENDERS = 6, SLEEPERS = 600 };

static int ours[CONNECTIONS], theirs[CONNECTIONS];

static int
answer(int fd, unsigned char question)
{
	unsigned char sum = 0;

	for (unsigned i = 0; i < 20000; i++)
		sum = (unsigned char)(sum * 31 + question + i);
	return write(fd, &sum, 1) == 1;
}

static void *
serve_connection(void *argument)
{
	int fd = ours[(uintptr_t)argument];
	unsigned char c;

	while (read(fd, &c, 1) == 1 && answer(fd, c))
		continue;
	return NULL;
}

static __attribute__((noinline)) unsigned char
read_request(int fd)
{
	unsigned char c;

	if (read(fd, &c, 1) != 1)
		_exit(1);
	__asm__ volatile("" ::: "memory"); /* no tail call */
	return c;
}

static void *
serve_client(void *argument)
{
	int fd = ours[(uintptr_t)argument];

	while (answer(fd, read_request(fd)))
		continue;
	return NULL;
}

static __attribute__((noinline)) unsigned char
query_backend(int fd, unsigned char question)
{
	if (write(fd, &question, 1) != 1 || read(fd, &question, 1) != 1)
		_exit(1);
	__asm__ volatile("" ::: "memory"); /* no tail call */
	return question;
}

static void *
handle_requests(void *argument)
{
	int fd = ours[(uintptr_t)argument];

	for (unsigned char c = 0;; c++)
		c = (unsigned char)(c + query_backend(fd, c));
	return NULL;
}

/* Asks one connection after the other, and waits for its answer. */
static void
ask(void)
{
	for (unsigned i = 0;; i++) {
		unsigned char c = (unsigned char)i;
		int fd = theirs[i % CONNECTIONS];
		if (write(fd, &c, 1) != 1 || read(fd, &c, 1) != 1)
			_exit(1);
		usleep(2000);
	}
}

/* Answers whoever asked, some 50 ms after. */
static void
answer_slowly(void)
{
	for (;;) {
		struct pollfd polled[CONNECTIONS];
		for (int i = 0; i < CONNECTIONS; i++)
			polled[i] = (struct pollfd){.fd = theirs[i], .events = POLLIN};
		usleep(50000);
		if (poll(polled, CONNECTIONS, -1) < 0)
			_exit(1);
		for (int i = 0; i < CONNECTIONS; i++) {
			unsigned char c;
			if ((polled[i].revents & POLLIN) &&
			    (read(theirs[i], &c, 1) != 1 || write(theirs[i], &c, 1) != 1))
				_exit(1);
		}
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned queued;
static volatile unsigned sum;

static __attribute__((noinline)) void
work(unsigned steps)
{
	for (unsigned i = 0; i < steps; i++)
		sum = sum * 31 + i;
}

static void *
take_work(void *argument)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		while (!queued)
			pthread_cond_wait(&more, &lock);
		queued--;
		pthread_mutex_unlock(&lock);
		work(30000);
	}
	return argument;
}

static __attribute__((noinline)) void
update_table(void)
{
	pthread_mutex_lock(&lock);
	work(100000);
	pthread_mutex_unlock(&lock);
}

static void *
contend(void *argument)
{
	for (;;) {
		update_table();
		work(10000);
	}
	return argument;
}

static void *
wait_for_retry(void *argument)
{
	for (;;)
		sleep(3600);
	return argument;
}

static void
start_threads(int count, void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	while (count--)
		pthread_create(&thread, &attr, run, NULL);
}

static void
hand_out_work(void)
{
	for (;;) {
		usleep(10000);
		pthread_mutex_lock(&lock);
		queued++;
		pthread_cond_signal(&more);
		pthread_mutex_unlock(&lock);
	}
}

/* Connections over loopback: `accepted` is the end of whoever listens. */
static int
connect_all(int *accepted, int *connected)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&a, size) || listen(listener, CONNECTIONS) ||
	    getsockname(listener, (struct sockaddr *)&a, &size))
		return 1;
	for (int i = 0; i < CONNECTIONS; i++) {
		connected[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(connected[i], (struct sockaddr *)&a, size))
			return 1;
		accepted[i] = accept(listener, NULL, NULL);
	}
	return accepted != ours && close(listener);
}

static int
serve(void *(*serve_one)(void *))
{
	bool asks = serve_one == handle_requests;
	pthread_t threads[CONNECTIONS];

	if (asks ? connect_all(theirs, ours) : connect_all(ours, theirs))
		return 1;
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		asks ? answer_slowly() : ask();
	}
	for (int i = 0; i < CONNECTIONS; i++)
		close(theirs[i]);
	for (uintptr_t i = 0; i < CONNECTIONS; i++)
		pthread_create(&threads[i], NULL, serve_one, (void *)i);
	pthread_join(threads[0], NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	if (strcmp(kind, "requests") == 0)
		return serve(serve_connection);
	if (strcmp(kind, "clients") == 0)
		return serve(serve_client);
	if (strcmp(kind, "backend") == 0)
		return serve(handle_requests);
	if (strcmp(kind, "contended") == 0) {
		start_threads(CONTENDERS, contend);
		pause();
	}
	if (strcmp(kind, "stuck") == 0)
		start_threads(SLEEPERS, wait_for_retry);
	if (strcmp(kind, "stuck") == 0 || strcmp(kind, "pool") == 0) {
		start_threads(WORKERS, take_work);
		hand_out_work();
	}
	fprintf(stderr, "usage: waiters requests|clients|backend|pool|contended|stuck\n");
	return 2;
}
