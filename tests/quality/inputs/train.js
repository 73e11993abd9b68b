// train.js SCALE: an everyday mix for an interpreter: calls, strings, objects, closures, regular expressions, JSON.
var scale = Number(scriptArgs[0] || 1);
function times(n) { return Math.max(1, Math.floor(n * scale)); }

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

function sieve(n) {
	var composite = [], count = 0;
	for (var i = 2; i < n; ++i) {
		if (composite[i]) continue;
		++count;
		for (var j = i * i; j < n; j += i) composite[j] = true;
	}
	return count;
}

function Account(name) { this.name = name; this.balance = 0; this.log = []; }
Account.prototype.deposit = function (n) { this.balance += n; this.log.push(n); };
Account.prototype.mean = function () {
	return this.log.reduce(function (a, b) { return a + b; }, 0) / this.log.length;
};

function accounts(n) {
	var all = [];
	for (var i = 0; i < 40; ++i) all.push(new Account('holder' + i));
	for (i = 0; i < n; ++i) all[i % 40].deposit(i % 97);
	return Math.max.apply(null, all.map(function (a) { return a.mean(); }));
}

function words(n) {
	var text = '', counts = {};
	for (var i = 0; i < n; ++i) text += 'the quick brown fox jumps over a lazy dog, and runs away; ';
	text.replace(/[a-z]+/g, function (w) { counts[w] = (counts[w] || 0) + 1; return w; });
	return Object.keys(counts).sort().join(' ');
}

function records(n) {
	var list = [];
	for (var i = 0; i < n; ++i) list.push({ id: i, name: 'n' + i * 7 % 13, tags: ['a', 'b' + i % 5], ratio: i / 3 });
	var again = JSON.parse(JSON.stringify(list));
	again.sort(function (a, b) { return a.name < b.name ? -1 : a.name > b.name ? 1 : b.id - a.id; });
	return again[0].id;
}

for (var round = 0; round < times(100); ++round) {
	print(fib(17), sieve(3000), accounts(1500), words(20).length, records(100));
}
