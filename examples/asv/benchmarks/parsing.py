import lines


class Parsing:
    params = [1000, 10000]

    def setup(self, count):
        self.text = "\n".join(f"key{number} = value" for number in range(count))

    def time_parse(self, count):
        lines.parse(self.text)
