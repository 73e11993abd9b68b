// evaluate.js SCALE: other work than train.js: sorting, searching, dynamic programming, text, recursion over trees.
var scale = Number(scriptArgs[0] || 1);
function times(n) { return Math.max(1, Math.floor(n * scale)); }
var state = 42;
function random(n) { state = (state * 1103 + 12345) % 65536; return state % n; }

function queens(n) {
	function place(row, columns, left, right) {
		if (row === n) return 1;
		var found = 0;
		for (var c = 0; c < n; ++c) {
			var bit = 1 << c, l = 1 << (row + c), r = 1 << (row - c + n);
			if (columns & bit || left & l || right & r) continue;
			found += place(row + 1, columns | bit, left | l, right | r);
		}
		return found;
	}
	return place(0, 0, 0, 0);
}

function distance(a, b) {
	var row = [];
	for (var j = 0; j <= b.length; ++j) row[j] = j;
	for (var i = 1; i <= a.length; ++i) {
		var before = row[0];
		row[0] = i;
		for (j = 1; j <= b.length; ++j) {
			var cost = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1, up = row[j];
			row[j] = Math.min(up + 1, row[j - 1] + 1, before + cost);
			before = up;
		}
	}
	return row[b.length];
}

function Node(key) { this.key = key; this.left = this.right = null; }
function insert(node, key) {
	if (!node) return new Node(key);
	if (key < node.key) node.left = insert(node.left, key);
	else if (key > node.key) node.right = insert(node.right, key);
	return node;
}
function depth(node) { return node ? 1 + Math.max(depth(node.left), depth(node.right)) : 0; }

function template(n) {
	var out = [];
	for (var i = 0; i < n; ++i) {
		var line = '{{name}} of {{city}} owes {{sum}}'.replace(/\{\{(\w+)\}\}/g, function (all, key) {
			switch (key) {
			case 'name': return 'client ' + i;
			case 'city': return ['Oslo', 'Lima', 'Bern'][i % 3];
			default: return (i * 1.25).toFixed(2);
			}
		});
		out.push(line.split(' ').reverse().join(' ').toUpperCase());
	}
	return out.join('\n').length;
}

function matrix(n) {
	var a = [], sum = 0;
	for (var i = 0; i < n * n; ++i) a[i] = random(100) / 10;
	for (var r = 0; r < n; ++r)
		for (var c = 0; c < n; ++c)
			for (var k = 0; k < n; ++k) sum += a[r * n + k] * a[k * n + c];
	return Math.round(sum);
}

for (var round = 0; round < times(160); ++round) {
	var root = null;
	for (var i = 0; i < 400; ++i) root = insert(root, random(10000));
	print(queens(5), distance('interpretation and practice', 'implementation in practice'), depth(root), template(120), matrix(14));
}
