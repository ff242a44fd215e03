from flask import Flask

ROWS = 2000

app = Flask(__name__)


@app.get("/healthz")
def health():
    return "ok"


@app.get("/orders")
def orders():
    return {"total": sum(number * 3 % 7 for number in range(ROWS))}
