from flask import Flask, render_template_string

from mtp_plugin import MTP

app = Flask(__name__)
app.secret_key = "a long random string, such as secrets.token_hex() gives"
mtp = MTP(app)


@app.get("/")
@app.get("/product/<product_id>")
def page(product_id=None):
    if product_id:
        mtp.track("Product Viewed", {"product_id": product_id})
    return render_template_string("{{ mtp_scripts() }}{{ mtp_consent() }}{{ mtp_block('home-hero') }}")
