/*
 * host_new.cc: C++'s operators new and delete, also those that refuse, through containers and by hand.
 *
 *	host_new [mild]    all of them once over, then 20 MB kept in a container by keep_strings(), and 10 MB each made by
 *	                   make_array() and make_block(), whose last call is to allocate it, for keep_made(); then
 *	                   sleeps until it is killed, ten minutes at most; status 1 if something is not as it must be;
 *	                   mild: for allocators that abort where they should refuse, or don't align
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#define CHECK(X)                                                                             \
	do {                                                                                 \
		if (!(X)) {                                                                  \
			std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #X); \
			std::exit(1);                                                        \
		}                                                                            \
	} while (0)

struct alignas(256) wide {
	char bytes[300];
};

static int handled;
static bool mild; /* nothing that is refused, no alignment: where an allocator has neither right */

static void
no_more()
{
	handled++;
	std::set_new_handler(nullptr);
}

static void
refused()
{
	volatile std::size_t too_much = SIZE_MAX / 2;
	bool caught = false;

	CHECK(::operator new(too_much, std::nothrow) == nullptr);
	CHECK(::operator new[](too_much, std::nothrow) == nullptr);
	CHECK(::operator new(too_much, std::align_val_t(64), std::nothrow) == nullptr);
	std::set_new_handler(no_more);
	try {
		::operator delete(::operator new(too_much));
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught && handled == 1);
}

static void
by_hand(std::size_t size)
{
	::operator delete(::operator new(size));
	::operator delete(::operator new(size), size);
	::operator delete[](::operator new[](size));
	::operator delete[](::operator new[](size), size);
	::operator delete(::operator new(size, std::nothrow), std::nothrow);
	::operator delete[](::operator new[](size, std::nothrow), std::nothrow);
	for (std::size_t align = 32; align <= 4096; align *= 2) {
		auto a = std::align_val_t(align);
		void *p = ::operator new(size, a), *q = ::operator new[](size, a);
		CHECK(mild || ((std::uintptr_t)p % align == 0 && (std::uintptr_t)q % align == 0));
		::operator delete(p, a);
		::operator delete[](q, size, a);
		p = ::operator new(size, a, std::nothrow);
		CHECK(mild || (std::uintptr_t)p % align == 0);
		::operator delete(p, size, a);
	}
}

static void
containers()
{
	std::map<std::string, std::vector<wide>> all;

	for (int i = 0; i < 2000; i++) {
		auto &wides = all[std::string(1 + i % 100, 'x') + std::to_string(i)];
		wides.resize(i % 10 + 1);
		CHECK(mild || (std::uintptr_t)wides.data() % 256 == 0);
		if (i % 3 == 0)
			all.erase(all.begin());
	}
}

static std::vector<std::string> kept;

__attribute__((noinline)) static void
keep_strings()
{
	for (int i = 0; i < 20000; i++)
		kept.push_back(std::string(1000, 'k'));
}

/* Compilers make jumps of these calls. */
__attribute__((noinline)) static char *
make_array(std::size_t size)
{
	return new char[size];
}

__attribute__((noinline)) static void *
make_block(std::size_t size)
{
	return std::malloc(size);
}

static void *volatile made;

__attribute__((noinline)) static void
keep_made()
{
	for (int i = 0; i < 10000; i++) {
		made = make_array(1000 + i % 2);
		made = make_block(1000 + i % 2);
	}
}

int
main(int argc, char **)
{
	mild = argc > 1;
	for (std::size_t size = 0; size < 2000000; size = size * 2 + 1)
		by_hand(size);
	if (!mild)
		refused();
	std::thread other(containers);
	containers();
	other.join();
	keep_strings();
	keep_made();
	std::puts("ready");
	std::fflush(stdout);
	return sleep(600) ? 0 : 1;
}
