// calc.cpp: a calculator as C++ is written: a tree of many classes, evaluated through virtual calls that know no favourite,
// names in a hash map, errors as exceptions. Usage: calc FILE ROUNDS; a line of FILE is an expression.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

using Names = std::unordered_map<std::string, double>;

struct Failure : std::runtime_error {
	using std::runtime_error::runtime_error;
};

struct Node {
	virtual ~Node() = default;
	virtual double value(const Names &names) const = 0;
	virtual std::unique_ptr<Node> folded() const = 0;
	virtual bool constant() const { return false; }
};
using Tree = std::unique_ptr<Node>;

struct Number : Node {
	double number;
	explicit Number(double number) : number(number) {}
	double value(const Names &) const override { return number; }
	bool constant() const override { return true; }
	Tree folded() const override { return std::make_unique<Number>(number); }
};

struct Name : Node {
	std::string name;
	explicit Name(std::string name) : name(std::move(name)) {}
	double value(const Names &names) const override
	{
		auto found = names.find(name);
		if (found == names.end())
			throw Failure("no value for " + name);
		return found->second;
	}
	Tree folded() const override { return std::make_unique<Name>(name); }
};

template <class Operation> struct Pair : Node {
	Tree left, right;
	Pair(Tree left, Tree right) : left(std::move(left)), right(std::move(right)) {}
	double value(const Names &names) const override
	{
		return Operation::apply(left->value(names), right->value(names));
	}
	Tree folded() const override
	{
		Tree l = left->folded(), r = right->folded();
		if (l->constant() && r->constant()) {
			try {
				return std::make_unique<Number>(Operation::apply(l->value({}), r->value({})));
			} catch (const Failure &) { // then it fails when it is evaluated
			}
		}
		return std::make_unique<Pair<Operation>>(std::move(l), std::move(r));
	}
};

struct Add {
	static double apply(double l, double r) { return l + r; }
};
struct Subtract {
	static double apply(double l, double r) { return l - r; }
};
struct Multiply {
	static double apply(double l, double r) { return l * r; }
};
struct Divide {
	static double apply(double l, double r)
	{
		if (r == 0)
			throw Failure("division by zero");
		return l / r;
	}
};

struct Negated : Node {
	Tree of;
	explicit Negated(Tree of) : of(std::move(of)) {}
	double value(const Names &names) const override { return -of->value(names); }
	Tree folded() const override { return std::make_unique<Negated>(of->folded()); }
};

struct Call : Node {
	std::string function;
	std::vector<Tree> arguments;
	Call(std::string function, std::vector<Tree> arguments)
	    : function(std::move(function)), arguments(std::move(arguments))
	{
	}
	double value(const Names &names) const override
	{
		std::vector<double> values;
		for (const Tree &argument : arguments)
			values.push_back(argument->value(names));
		double result = values.at(0);
		for (size_t i = 1; i < values.size(); i++) {
			if (function == "max")
				result = values[i] > result ? values[i] : result;
			else if (function == "min")
				result = values[i] < result ? values[i] : result;
			else
				result += values[i];
		}
		return result;
	}
	Tree folded() const override
	{
		std::vector<Tree> all;
		for (const Tree &argument : arguments)
			all.push_back(argument->folded());
		return std::make_unique<Call>(function, std::move(all));
	}
};

class Parser {
	const std::string &text;
	size_t at = 0;

	bool take(char c)
	{
		while (at < text.size() && text[at] == ' ')
			at++;
		if (at == text.size() || text[at] != c)
			return false;
		at++;
		return true;
	}

	Tree product()
	{
		Tree left = factor();
		for (;;) {
			if (take('*'))
				left = std::make_unique<Pair<Multiply>>(std::move(left), factor());
			else if (take('/'))
				left = std::make_unique<Pair<Divide>>(std::move(left), factor());
			else
				return left;
		}
	}

	Tree named()
	{
		size_t start = at;
		while (at < text.size() && isalnum((unsigned char)text[at]))
			at++;
		std::string name = text.substr(start, at - start);
		if (!take('('))
			return std::make_unique<Name>(name);
		std::vector<Tree> arguments;
		do
			arguments.push_back(sum());
		while (take(','));
		if (!take(')'))
			throw Failure("an argument list has no end");
		return std::make_unique<Call>(name, std::move(arguments));
	}

	Tree factor()
	{
		if (take('-'))
			return std::make_unique<Negated>(factor());
		if (take('(')) {
			Tree inner = sum();
			if (!take(')'))
				throw Failure("a parenthesis has no end");
			return inner;
		}
		if (at < text.size() && isdigit((unsigned char)text[at])) {
			char *end;
			double number = strtod(text.c_str() + at, &end);
			at = (size_t)(end - text.c_str());
			return std::make_unique<Number>(number);
		}
		if (at < text.size() && isalpha((unsigned char)text[at]))
			return named();
		throw Failure("nothing to calculate at " + std::to_string(at));
	}

public:
	explicit Parser(const std::string &text) : text(text) {}

	Tree sum()
	{
		Tree left = product();
		for (;;) {
			if (take('+'))
				left = std::make_unique<Pair<Add>>(std::move(left), product());
			else if (take('-'))
				left = std::make_unique<Pair<Subtract>>(std::move(left), product());
			else
				return left;
		}
	}
};

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	std::ifstream file(argv[1]);
	std::map<std::string, long> failures;
	double total = 0;
	int rounds = atoi(argv[2]);

	for (std::string line; std::getline(file, line);) {
		try {
			Tree tree = Parser(line).sum()->folded();
			Names names = {{"x", 0}, {"y", 2}, {"z", 3}, {"w", 0.5}};
			for (int i = 0; i < rounds; i++) {
				names["x"] = i;
				total += tree->value(names);
			}
		} catch (const Failure &failure) {
			failures[failure.what()]++;
		}
	}
	printf("%g\n", total);
	for (const auto &[what, count] : failures)
		printf("%ld: %s\n", count, what.c_str());
}
